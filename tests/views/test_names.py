"""Names out of a capture are data: escaped, short, and without anybody's folders or secrets."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.views.names import NAME_LIMIT, PROSE_LIMIT, command_shown, elided, prose, short_path, shown

ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("shop.sessions.STORE", "shop.sessions.STORE"),
        ("größe.Länge", "größe.Länge"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("<script>", "<script>"),
    ],
)
def test_what_acts_is_shown_as_its_escape(name: str, seen: str) -> None:
    assert shown(name) == seen


@given(st.text(alphabet=st.characters(), max_size=400))
def test_no_shown_name_acts_or_is_long(name: str) -> None:
    seen = shown(name)
    assert len(seen) <= NAME_LIMIT
    assert not {unicodedata.category(character) for character in seen} & ACTING
    seen.encode("utf-8")


def test_a_long_name_keeps_both_ends() -> None:
    short = shown("first." + "x" * 100_000 + ".last")
    assert short.startswith("first.")
    assert short.endswith(".last")
    assert "…" in short
    assert len(short) == NAME_LIMIT
    assert elided("abc", 3) == "abc"
    assert elided("abcdef", 5) == "ab…ef"
    assert len(elided("abcdef", 2)) == 2


def test_a_long_sentence_is_cut_at_its_end() -> None:
    text = prose("It grows. " * 500)
    assert text.startswith("It grows. It grows. ")
    assert text.endswith("…")
    assert len(text) == PROSE_LIMIT


def test_a_sentence_names_source_files_without_their_folders() -> None:
    seen = prose("Allocated in /home/anna/shop/sessions.py; see POST /sessions/{i} and shop/a.py.")
    assert seen == "Allocated in …/sessions.py; see POST /sessions/{i} and shop/a.py."


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("shop/sessions.py", "shop/sessions.py"),
        ("/home/anna/shop/sessions.py", "…/shop/sessions.py"),
        ("~/shop/sessions.py", "…/shop/sessions.py"),
        ("C:\\Users\\anna\\shop\\sessions.py", "…/shop/sessions.py"),
        ("<frozen importlib>", "<frozen importlib>"),
    ],
)
def test_a_file_is_shown_without_anybodys_folders(path: str, seen: str) -> None:
    assert short_path(path) == seen


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        (
            "labkit investigate --app /home/anna/app.py:app --request 'POST /s/{i}'",
            "labkit investigate --app …/app.py:app --request 'POST /s/{i}'",
        ),
        ("labkit investigate --python=/opt/py/bin/python x", "labkit investigate --python=…/python x"),
        ("labkit x --header 'Authorization: Bearer s3cret'", "labkit x --header 'Authorization: …'"),
        ("labkit x --header='X-Key: s3cret'", "labkit x '--header=X-Key: …'"),
        ("labkit x -H 'Cookie: s3cret'", "labkit x -H 'Cookie: …'"),
        ("labkit x 'unbalanced", "labkit x ''\"'\"'unbalanced'"),
    ],
)
def test_a_command_is_shown_without_folders_and_header_values(command: str, seen: str) -> None:
    assert command_shown(command) == seen
