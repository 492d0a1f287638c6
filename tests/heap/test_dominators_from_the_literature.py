"""Flow graphs printed with their dominators, and retained sizes written as sums."""

from __future__ import annotations

import pytest
from drawing import draw, from_edges, node

from labkit.heap.dominators import dominators

#: T. Lengauer and R. E. Tarjan, A Fast Algorithm for Finding Dominators in a Flowgraph (1979), figures 1 and 2.
LENGAUER_TARJAN = (
    "R: A B C", "A: D", "B: A D E", "C: F G", "D: L", "E: H", "F: I", "G: I J", "H: E K", "I: K", "J: I", "K: I R",
    "L: H",
)  # fmt: skip
#: K. D. Cooper, T. J. Harvey and K. Kennedy, A Simple, Fast Dominance Algorithm (2001), figures 2 and 4.
COOPER_2 = ("N5: N4 N3", "N4: N1", "N3: N2", "N1: N2", "N2: N1")
COOPER_4 = ("N6: N5 N4", "N5: N1", "N4: N2 N3", "N3: N2", "N2: N1 N3", "N1: N2")


@pytest.mark.parametrize(
    ("printed", "root", "expected"),
    [
        (LENGAUER_TARJAN, "R", dict(zip("ABCDEFGHIJKL", "RRRRRCCRRGRD", strict=True))),
        (COOPER_2, "N5", dict.fromkeys(("N1", "N2", "N3", "N4"), "N5")),
        (COOPER_4, "N6", dict.fromkeys(("N1", "N2", "N3", "N4", "N5"), "N6")),
    ],
)
def test_printed_graphs(printed: tuple[str, ...], root: str, expected: dict[str, str]) -> None:
    edges = [(line.partition(": ")[0], target) for line in printed for target in line.partition(": ")[2].split()]
    graph = draw("  ".join(f"{a} -> {b}" for a, b in edges))
    found = dominators(graph, [node(graph, root)]).immediate
    assert found[node(graph, root)] == -1
    assert {name: int(found[node(graph, name)]) for name in expected} == {
        name: node(graph, above) for name, above in expected.items()
    }


def test_an_lru_cache() -> None:
    """
    module -> cache -> table -> A, B, C
                |
                +----> ring <-> A <-> B <-> C <-> ring

    cache 100, table 1000, ring 5; each entry with its value: A 10 + 1, B 20 + 2, C 30 + 3
    """
    ring = "R.next -> A  A.next -> B  B.next -> C  C.next -> R  A.last -> R  B.last -> A  C.last -> B  R.last -> C"
    sizes = {"K": 100, "T": 1000, "R": 5, "A": 10, "B": 20, "C": 30, "VA": 1, "VB": 2, "VC": 3}
    graph = draw(
        f"M.cache -> K  K.table -> T  K.ring -> R  {ring}  T[*] -> A  T[*] -> B  T[*] -> C  "
        "A.value -> VA  B.value -> VB  C.value -> VC",
        sizes=sizes,
    )
    found = dominators(graph, [node(graph, "M")])
    retained = {name: int(found.retained_bytes[node(graph, name)]) for name in sizes}
    assert retained["A"] == 10 + 1
    assert retained["C"] == 30 + 3
    assert retained["T"] == 1000  # the ring would still hold the entries
    assert retained["R"] == 5  # and the table too
    assert retained["K"] == 100 + 1000 + 5 + (10 + 1) + (20 + 2) + (30 + 3)


def test_a_class_and_its_instances_that_know_each_other() -> None:
    """The class knows an instance and every instance its class: a cycle through the class retains neither alone."""
    graph = draw(
        "M.Class -> C  M.items -> L  L[0] -> X  L[1] -> Y  X.cls -> C  Y.cls -> C  C.first -> X",
        sizes={"C": 1000, "L": 64, "X": 10, "Y": 20},
    )
    found = dominators(graph, [node(graph, "M")])
    assert found.retained_bytes[node(graph, "L")] == 64 + 20
    assert found.retained_bytes[node(graph, "C")] == 1000
    assert found.immediate[node(graph, "X")] == node(graph, "M")


def test_several_roots_share_what_both_reach() -> None:
    graph = draw("A.x -> X  B.x -> X  X.y -> Y  A.own -> P", sizes={"A": 1, "B": 2, "X": 4, "Y": 8, "P": 16})
    found = dominators(graph, [node(graph, "A"), node(graph, "B")])
    assert found.immediate[node(graph, "X")] == -1
    assert found.retained_bytes[node(graph, "A")] == 1 + 16
    assert found.retained_bytes[node(graph, "X")] == 4 + 8


@pytest.mark.parametrize("roots", [[0, 0], [1, 0], [0, 1, 2]])
def test_roots_below_roots_and_roots_named_twice(roots: list[int]) -> None:
    found = dominators(from_edges(3, [(0, 1), (1, 2), (2, 0), (1, 1)], [1, 2, 4]), roots)
    above = {0: -1, 1: -1 if 1 in roots else 0, 2: -1 if 2 in roots else 1}
    assert found.immediate.tolist() == [above[0], above[1], above[2]]


def test_nothing_at_all() -> None:
    assert dominators(from_edges(0, []), []).retained_bytes.tolist() == []
    assert dominators(from_edges(2, [(0, 1)], [3, 4]), []).retained_bytes.tolist() == [3, 4]


def test_a_dense_heap_of_modules() -> None:
    """Everybody knows everybody: nobody retains anything but himself."""
    count = 300
    edges = [(a, b) for a in range(count) for b in range(count)]
    found = dominators(from_edges(count, edges), [0])
    assert found.immediate.tolist() == [-1, *[0] * (count - 1)]
    assert found.retained_bytes.tolist() == [count, *[1] * (count - 1)]


def test_a_ladder_that_path_compression_must_shorten() -> None:
    """A long chain with a short cut back from each rung: naive ancestor walks are quadratic here."""
    length = 50_000
    chain = [(i, i + 1) for i in range(length - 1)]
    back = [(i, i // 2) for i in range(2, length)]
    jumps = [(0, length - 1), (0, length // 2)]
    found = dominators(from_edges(length, chain + back + jumps), [0])
    assert found.immediate[1] == 0
    assert found.immediate[length // 2] == 0
    assert found.immediate[length - 1] == 0
    assert found.retained_bytes[0] == length
