"""What counts as found, missed and falsely accused."""

from __future__ import annotations

import pytest

from labkit.cases import Truth
from labkit.findings.model import Findings, Growth, Suspect
from labkit.findings.score import Rates, Score, rates, score

TRUTH = Truth(
    mechanism="a dict",
    kind="python-objects",
    retainer="leaky.THINGS",
    also_accept=("lib.registry._things",),
    grows_type="leaky.Thing",
    objects_per_request=1,
    bytes_per_request=100,
    shape="linear",
    verdict={"leaky": "suspect", "fixed": "clean"},
)


def suspect(name: str) -> Suspect:
    grows = Growth(type="x", objects_per_request=1, bytes_per_request=1, interval95=(1, 1))
    return Suspect(rank=1, kind="python-objects", retainer=name, retaining_path=[], grows=grows, why="")


def scored(variant: str, *names: str, verdict: str = "", truth: Truth = TRUTH) -> Score:
    said = verdict or ("suspect" if names else "clean")
    return score(f"x:{variant}", variant, truth, Findings(verdict=said, suspects=[suspect(name) for name in names]))


@pytest.mark.parametrize(
    ("given", "outcome", "false_names", "is_right"),
    [
        (scored("leaky", "leaky.THINGS"), "named", (), True),
        (scored("leaky", "lib.registry._things"), "named", (), True),
        (scored("leaky", "leaky.THINGS", "other.TABLE"), "named", ("other.TABLE",), False),
        (scored("leaky", "other.TABLE", "leaky.THINGS"), "unnamed", ("other.TABLE",), False),
        (scored("leaky"), "missed", (), False),
        (scored("leaky", verdict="inconclusive"), "missed", (), False),
        (scored("fixed"), "quiet", (), True),
        (scored("fixed", verdict="inconclusive"), "open", (), False),
        (scored("fixed", "leaky.THINGS"), "false alarm", ("leaky.THINGS",), False),
    ],
)
def test_an_answer_is_compared_with_the_truth(
    given: Score, outcome: str, false_names: tuple[str, ...], is_right: bool
) -> None:
    assert (given.outcome, given.false_names, given.is_right) == (outcome, false_names, is_right)


def test_precision_and_recall_per_kind_and_of_all() -> None:
    other = TRUTH.model_copy(update={"kind": "threads"})
    declared = TRUTH.model_copy(update={"known_miss": "nobody can see it"})
    given = [
        scored("leaky", "leaky.THINGS", "other.TABLE"),
        scored("leaky"),
        scored("fixed", "more.STUFF"),
        scored("leaky", "leaky.THINGS", truth=other),
        scored("leaky", truth=declared),
    ]
    assert rates(given) == [
        Rates("python-objects", leaks=2, named=1, accusations=3),
        Rates("threads", leaks=1, named=1, accusations=1),
        Rates("all", leaks=3, named=2, accusations=4),
    ]
    assert rates(given)[-1].precision == 0.5
    assert rates(given)[0].recall == 0.5


def test_nothing_to_find_and_nothing_said_is_no_fault() -> None:
    (kind, everything) = rates([scored("fixed")])
    assert (kind.precision, kind.recall, everything.accusations) == (1.0, 1.0, 0)
