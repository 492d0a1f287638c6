"""Growth that comes by chance: leaks that must be seen, and look-alikes that must not be accused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from labkit.errors import AnalysisError
from labkit.growth.trend import MIN_POINTS, trend_of

Steps = Callable[[np.random.Generator], list[float]]
RUNG = 100


def values_of(steps: list[float], start: float = 500) -> list[float]:
    return [start, *(start + total for total in np.cumsum(steps).tolist())]


def shape(steps: list[float], *, smallest: float = 3) -> str:
    values = values_of(steps)
    return trend_of([RUNG * place for place in range(len(values))], values, smallest=smallest).shape


def tally(steps: Steps, *, smallest: float = 3, seeds: int = 100) -> Counter[str]:
    """How often each shape is found over the seeds 0, 1, 2 ..."""
    return Counter(shape(list(steps(np.random.default_rng(seed))), smallest=smallest) for seed in range(seeds))


def poisson(rate: float, rungs: int) -> Steps:
    return lambda chance: chance.poisson(rate, rungs).tolist()


@pytest.mark.parametrize("rungs", [4, 6, 12])
@pytest.mark.parametrize("rate", [8, 12, 30, 50])
def test_a_leak_by_chance_is_seen_19_times_in_20(rate: int, rungs: int) -> None:
    assert tally(poisson(rate, rungs))["linear"] >= 95


@pytest.mark.parametrize(("rate", "smallest", "seen"), [(5, 1, 90), (3, 1, 85), (5, 3, 75)])
def test_a_leak_of_few_events_is_mostly_seen(rate: int, smallest: int, seen: int) -> None:
    """A rung may pass with hardly an event by chance; that alone must not hide the leak."""
    found = tally(poisson(rate, 6), smallest=smallest)
    assert found["linear"] >= seen
    assert found["flat"] == 0


def test_quiet_rungs_by_chance_keep_the_slope() -> None:
    values = values_of([6, 2, 5, 7, 2, 6])
    trend = trend_of([RUNG * place for place in range(7)], values, smallest=3)
    assert (trend.shape, trend.from_point) == ("linear", 0)
    assert trend.slope == pytest.approx((6 + 2 + 5 + 7 + 2 + 6) / 6 / RUNG, rel=0.1)


@pytest.mark.parametrize(
    "steps",
    [
        [0, 5, 0, 4, 0, 6],  # every second rung
        [30, 0, 30, 0, 30, 0],
        [40, 1, 40, 1, 40, 40],
        [9, 9, -4, 9, 9, 9],  # something is given back
        [0, 0, 0, 2, 9, 1],
    ],
)
def test_bursts_are_no_chance(steps: list[float]) -> None:
    assert shape(steps) == "noise"


def filling(keys: int, draws: int, rungs: int) -> Steps:
    """New keys per rung of a cache filled by random keys from a finite set."""

    def steps(chance: np.random.Generator) -> list[float]:
        seen: set[int] = set()
        sizes = []
        for _ in range(rungs + 1):
            seen.update(chance.integers(0, keys, draws).tolist())
            sizes.append(len(seen))
        return np.diff(sizes).tolist()

    return steps


@pytest.mark.parametrize("rungs", range(4, 13))
@pytest.mark.parametrize(("keys", "draws"), [(100, 60), (200, 100), (400, 100), (1_000, 200)])
def test_a_finite_set_of_keys_is_never_a_leak(keys: int, draws: int, rungs: int) -> None:
    assert tally(filling(keys, draws, rungs), seeds=40)["linear"] == 0


@pytest.mark.parametrize("rungs", [6, 12])
@pytest.mark.parametrize(("level", "spread"), [(100, 10), (1_000, 50), (10_000, 100)])
def test_a_level_that_fluctuates_is_hardly_ever_a_leak(level: int, spread: int, rungs: int) -> None:
    found = tally(lambda chance: np.diff(np.round(chance.normal(level, spread, rungs + 1))).tolist(), seeds=1000)
    assert found["linear"] <= 3


def test_the_worst_level_of_all_is_four_rungs() -> None:
    """One in 120 orders of five values ascends; nobody can tell that from a leak in so short a run."""
    found = tally(lambda chance: np.diff(np.round(chance.normal(1_000, 50, 5))).tolist(), seeds=1000)
    assert found["linear"] <= 1000 / 120 * 2


def test_a_small_leak_behind_a_filling_cache() -> None:
    values = values_of([1000, 500, 250, 40, 40, 40, 40, 40])
    trend = trend_of([RUNG * place for place in range(9)], values, smallest=3)
    assert (trend.shape, trend.from_point) == ("linear", 3)
    assert trend.slope == pytest.approx(40 / RUNG)


def test_uneven_rungs_are_judged_by_their_rates() -> None:
    requests = [0, 100, 300, 350, 600, 700]
    trend = trend_of(requests, [2.0 * count for count in requests])
    assert (trend.shape, trend.slope, trend.total) == ("linear", 2.0, 1400.0)


def test_the_size_of_one_event_tells_what_chance_can_do() -> None:
    """The same ups and downs in bytes: by chance for objects of 1000 bytes, not for single bytes."""
    steps = [9_000.0, 16_000.0, 12_000.0, 15_000.0, 2_000.0, 8_000.0]
    values = values_of(steps)
    requests = [RUNG * place for place in range(7)]
    assert trend_of(requests, values, smallest=3_000, unit=1_000).shape == "noise"
    assert trend_of(requests, values, smallest=1_000, unit=1_000).shape == "linear"
    assert trend_of(requests, values, smallest=1_000, unit=1).shape == "saturating"


@pytest.mark.parametrize("requests", [[0, 0, 100, 200, 300], [0, 100, 50, 200, 300], [7, 7, 7, 7, 7]])
def test_requests_that_do_not_ascend_are_refused_by_name(requests: list[int]) -> None:
    with pytest.raises(AnalysisError, match="no request was served") as caught:
        trend_of(requests, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert caught.value.seen == f"requests {requests}"


def test_the_least_number_of_points_is_enough() -> None:
    assert MIN_POINTS == 5
    assert trend_of(list(range(0, 500, 100)), [10.0, 20.0, 30.0, 40.0, 50.0]).shape == "linear"


@pytest.mark.parametrize(
    ("last", "shape"), [(1_000, "linear"), (920, "linear"), (750, "saturating"), (300, "saturating")]
)
def test_a_last_rung_that_falls_short_reopens_the_question(last: int, shape: str) -> None:
    """What expires by age grows as a leak does until the first entries go."""
    assert trend_of([RUNG * place for place in range(8)], values_of([1_000.0] * 6 + [float(last)])).shape == shape


def test_few_objects_may_be_fewer_by_chance() -> None:
    assert trend_of([RUNG * place for place in range(8)], values_of([10.0] * 6 + [6.0])).shape == "linear"
