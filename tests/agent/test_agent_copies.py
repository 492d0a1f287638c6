"""Which texts say the same: found in the process by comparing them, whatever their kind, length and hash."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest
from agent_targets import BOTH, Target

FRESH = """
import sys
class Text(str): pass
class Angry(str):
    def __eq__(self, other): raise AssertionError("the app's code ran")
    def __hash__(self): raise AssertionError("the app's code ran")
def fresh(value):
    return (value + "!")[:-1] if type(value) is str else bytes(bytearray(value))
VALUES = {values!r}
texts = [fresh(value) for value in VALUES]
for each in texts[::3]:
    hash(each)
others = [Text("order"), Text("order"), Angry("order"), bytearray(b"order"), bytearray(b"order")]
take()
"""

LONG = "x" * 5000
BY_HAND = [
    *["order", "order", b"order", b"order", "Order"],
    *["", "", b"", "a", "a", b"a", "\xe9", "\xe9", "\xe9t\xe9", "\xe9t\xe9"],
    *["\u0142\u0142", "\u0142\u0142", "\u0142\u0143", "\U0001f600ab", "\U0001f600ab", "\U0001f600", "\ud800\ud800"],
    *[LONG + "a", LONG + "a", LONG + "b", LONG, LONG, LONG.encode(), LONG.encode(), "y" + LONG],
    *["\0", "\0\0", "\0\0", "\0\0\0", b"\0\0", b"\0\0", "a\0b", "a\0b", "a\0c"],
]


def by_chance() -> list[str | bytes]:
    chance = random.Random(11)
    values: list[str | bytes] = []
    for _ in range(4_000):
        text = "".join(chance.choice("ab\u0142") for _ in range(chance.randint(2, 7)))
        values.append(text if chance.random() < 0.7 else text.encode())
    return values


@pytest.mark.parametrize("values", [BY_HAND, by_chance()], ids=["by hand", "by chance"])
@pytest.mark.parametrize("options", [(), ("-bb",)], ids=["", "comparing str with bytes is an error"])
def test_equal_texts_are_told(
    target: Target, walker: Path, values: list[str | bytes], options: tuple[str, ...]
) -> None:
    target.run(BOTH.format(walker=str(walker)) + FRESH.format(values=values), *options)
    for name in ("c.heap", "p.heap"):
        picture = target.picture(name)
        columns = picture.columns
        first = dict(zip(columns["copy_node"].tolist(), columns["copy_of"].tolist(), strict=True))
        texts = picture.follow(picture.root("__main__"), "texts")
        nodes = [node for kind, _, node in picture.edges(texts) if kind == "index"]
        expected, found = defaultdict(set), defaultdict(set)
        for value, node in zip(values, nodes, strict=True):
            expected[type(value), value].add(node)
            found[first.get(node, node)].add(node)
        assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected.values())), name
        assert {picture.type_of(node) for node in [*first, *first.values()]} == {"str", "bytes"}
        others = [node for _, _, node in picture.edges(picture.follow(picture.root("__main__"), "others"))]
        assert not set(others) & {*first, *first.values()}


def test_texts_of_one_hash_do_not_stop_the_walk(target: Target, walker: Path) -> None:
    """Long texts are found by their beginning: many that share it are compared with the first few, and not kept."""
    target.run(
        BOTH.format(walker=str(walker))
        + """
texts = ["x" * 10_000 + str(100_000 + number // 2) for number in range(6_000)]
take()
"""
    )
    counts = []
    for name in ("c.heap", "p.heap"):
        picture = target.picture(name)
        texts = picture.follow(picture.root("__main__"), "texts")
        copies = set(picture.columns["copy_node"].tolist())
        counts.append(len(copies & {node for _, _, node in picture.edges(texts)}))
    assert counts[1] == 3_000  # the plain walker hashes them whole
    assert counts[0] == 4
