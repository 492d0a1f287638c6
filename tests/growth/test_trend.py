"""Shapes, with the look-alikes that must not be mistaken for them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from labkit.errors import TooFewSnapshots
from labkit.growth.trend import slope_with_interval, trend_of


def shape(values: list[float], *, rung: int = 100, smallest: float = 3) -> str:
    return trend_of([rung * place for place in range(len(values))], values, smallest=smallest).shape


def running(steps: list[float], start: float = 50) -> list[float]:
    return [start, *(start + total for total in np.cumsum(steps).tolist())]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([0, 0, 0, 0, 0, 0], "flat"),
        ([1, 0, 2, 0, 1, 0], "flat"),
        ([-50, -20, 0, 0, 0, 0], "flat"),
        ([100, 100, 100, 100, 100, 100], "linear"),
        ([500, 300, 50, 50, 50, 50], "linear"),
        ([10, 9, 11, 10, 8, 10], "linear"),
        ([100, 100, 40, 0, 0, 0], "plateau"),
        ([150, 150, 0, 0, 0, 0], "plateau"),
        ([0, 0, 373, 0, 0, 0], "step"),
        ([60, 40, 27, 18, 12, 8], "saturating"),
        ([200, 120, 70, 40, 20, 10], "saturating"),
        ([0, 200, 0, 0, 200, 0], "noise"),
    ],
)
def test_shapes(steps: list[float], expected: str) -> None:
    assert shape(running(steps)) == expected


def test_a_step_is_no_growth_on_every_rung() -> None:
    assert shape([924, 924, 1297, 1297, 1297]) == "step"
    assert shape([924, 924, 924, 1297, 1297]) == "noise"


def test_a_small_leak_behind_a_long_warm_up_has_the_slope_of_its_tail() -> None:
    trend = trend_of([100 * place for place in range(7)], running([900, 500, 50, 50, 50, 50]), smallest=3)
    assert (trend.shape, trend.from_point) == ("linear", 2)
    assert trend.slope == pytest.approx(0.5)


@pytest.mark.parametrize("rate", [5, 20, 50])
def test_a_leak_that_comes_by_chance_is_mostly_seen(rate: int) -> None:
    found = [shape(running(np.random.default_rng(seed).poisson(rate, 6).tolist())) for seed in range(200)]
    if rate > 5:
        assert found.count("linear") >= 180
    assert found.count("linear") + found.count("noise") + found.count("saturating") >= 195


@pytest.mark.parametrize("keys", [100, 200, 300])
@pytest.mark.parametrize("rungs", [4, 6, 8, 12])
def test_a_cache_filled_by_chance_from_a_finite_set_is_never_called_a_leak(keys: int, rungs: int) -> None:
    accused = 0
    for seed in range(100):
        chance = random.Random(seed)
        known: set[int] = set()
        values = []
        for _ in range(rungs + 1):
            known.update(chance.randrange(keys) for _ in range(100))
            values.append(float(len(known)))
        accused += shape(values) == "linear"
    assert accused == 0


def test_slope_equals_numpy_polyfit() -> None:
    chance = np.random.default_rng(4)
    xs = np.arange(0, 700, 100)
    ys = 3.5 * xs + 20 + chance.normal(0, 40, len(xs))
    slope, (low, high) = slope_with_interval(xs.tolist(), ys.tolist())
    assert slope == pytest.approx(np.polyfit(xs, ys, 1)[0])
    assert low < slope < high


def test_the_interval_covers_the_truth_19_times_in_20() -> None:
    chance = np.random.default_rng(7)
    xs = list(range(0, 700, 100))
    covered = 0
    for _ in range(1000):
        low, high = slope_with_interval(xs, (2.0 * np.array(xs) + chance.normal(0, 30, len(xs))).tolist())[1]
        covered += low <= 2.0 <= high
    assert 930 <= covered <= 970


def test_two_points_are_never_a_trend() -> None:
    with pytest.raises(TooFewSnapshots, match="too few snapshots") as caught:
        trend_of([0, 100], [1, 2])
    assert (caught.value.seen, caught.value.hint) == ("2 snapshots", "--rungs 4 or more")
