"""The marker ``# leak: <case>`` stands for the whole statement it is on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from test_case_schema import write_case

from labkit.cases import TWINS, Case, list_cases, load_case
from labkit.errors import InvalidCase

WITH_TWINS = [case for case in list_cases() if case.variants == TWINS]
SOURCE = {
    "one line": ("x = 1\ny = 2  # leak: it\n", (2, 2)),
    "last line of a call": ("keep(\n    1,\n    2,\n)  # leak: it\n", (1, 4)),
    "middle of a call": ("a = 0\nkeep(\n    1,  # leak: it\n    2,\n)\n", (2, 5)),
    "inside a function": ("def f(x):\n    y = x\n    KEPT.append(y)  # leak: it\n    return y\n", (3, 3)),
    "header of a with": ("with a() as b:  # leak: it\n    c(b)\n    d(b)\n", (1, 3)),
    "body of a with": ("with a() as b:\n    c(b)  # leak: it\n    d(b)\n", (2, 2)),
    "a decorator": ("@cache  # leak: it\ndef f(x):\n    return x\n", (1, 3)),
    "a def under its decorator": ("@cache\ndef f(x):  # leak: it\n    return x\n", (1, 3)),
    "handler of a try": ("try:\n    a()\nexcept E as e:\n    keep(e)  # leak: it\n", (4, 4)),
    "another case's marker beside it": ("x = 1  # leak: other\ny = 2  # leak: it\n", (2, 2)),
    "a string that looks like it": ("x = '# leak: it'\ny = 2  # leak: it\n", (2, 2)),
}

WITH_TWINS = [case for case in list_cases() if case.variants == TWINS]


@pytest.mark.parametrize(("source", "lines"), SOURCE.values(), ids=SOURCE)
def test_the_span_is_that_of_the_whole_statement(tmp_path: Path, source: str, lines: tuple[int, int]) -> None:
    case = load_case(write_case(tmp_path, "it", leaky=source))
    assert case.guilty_span() == (case.app_file("leaky"), *lines)


BROKEN = {
    "none": ("x = 1\n", "should carry the comment '# leak: it' once, not 0 times"),
    "two": ("x = 1  # leak: it\ny = 2  # leak: it\n", "should carry the comment '# leak: it' once, not 2 times"),
    "alone": ("def f():\n    # leak: it\n    x = 1\n", "the comment '# leak: it' in line 2 stands on no statement"),
    "no python": ("def f(:\n", "invalid syntax (<unknown>, line 1)"),
}


@pytest.mark.parametrize(("source", "fault"), BROKEN.values(), ids=BROKEN)
def test_a_marker_that_cannot_be_resolved_is_a_fault_of_the_case(tmp_path: Path, source: str, fault: str) -> None:
    with pytest.raises(InvalidCase) as raised:
        load_case(write_case(tmp_path, "it", leaky=source))
    assert raised.value.seen == f"leaky.py: {fault}"


def test_a_file_that_changed_after_loading_is_refused(tmp_path: Path) -> None:
    case = load_case(write_case(tmp_path, "it"))
    case.app_file("leaky").write_text("x = 1\n")
    with pytest.raises(InvalidCase, match="Case it marks no guilty statement"):
        case.guilty_span()


@pytest.mark.parametrize("case", WITH_TWINS, ids=lambda case: case.name)
def test_every_case_marks_one_simple_statement(case: Case) -> None:
    file, first, last = case.guilty_span()
    marked = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.stmt) and (node.lineno, node.end_lineno) == (first, last)
    ]
    assert len(marked) == 1
    assert not hasattr(marked[0], "body")


@pytest.mark.parametrize("case", WITH_TWINS, ids=lambda case: case.name)
def test_the_fixed_twin_carries_no_marker(case: Case) -> None:
    assert "# leak:" not in case.app_file("fixed").read_text()
