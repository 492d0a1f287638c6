"""Services beside each other: the level of their memory above, growth per request below, and when an alert fires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from labkit.views.figures import RC, WIDE_INCHES
from labkit.views.palette import COOL, HOT, INK, MUTED, PAPER, THIRD, TINT
from labkit.views.panels import TICK_STEPS, byte_tick, dress
from labkit.views.units import bytes_text

_HEIGHT_INCHES = 4.4
_QUIET = "no alert"


@dataclass(frozen=True)
class Watch:
    """One service by the minute: RSS of each worker, bytes a request left; the minutes in which the alerts begin."""

    name: str
    level: dict[str, pd.Series[float]]
    per_request: pd.Series[float]
    growth_fires: int | None
    level_fires: int | None


def alerts_figure(watches: Sequence[Watch], limit_bytes: float, least_per_request: float) -> tuple[Figure, str]:
    """A column for each service, and the same in words."""
    with mpl.rc_context(RC):
        size = (WIDE_INCHES[0], _HEIGHT_INCHES)
        figure = Figure(figsize=size, dpi=100, layout="constrained", facecolor=PAPER.light)
        grid = figure.subplots(2, len(watches), sharex=True, sharey="row", squeeze=False)
        for column, watch in enumerate(watches):
            above, below = grid[0, column], grid[1, column]
            _dressed(above, watch.name, _said(watch.level_fires), watch.level_fires, watch, first=column == 0)
            for level in watch.level.values():
                above.plot(level.index, level.to_numpy(), color=COOL.light, linewidth=1.6)
            above.axhline(limit_bytes, color=INK.light, linewidth=1, linestyle=(0, (4, 3)))
            _dressed(below, "", _said(watch.growth_fires), watch.growth_fires, watch, first=column == 0)
            rates = watch.per_request
            below.plot(rates.index, rates.to_numpy(), color=HOT.light, linewidth=1.8)
            below.axhline(least_per_request, color=INK.light, linewidth=1, linestyle=(0, (4, 3)))
            above.set_xlabel("")
            below.set_xlabel("minutes", color=MUTED.light, loc="right")
        grid[0, 0].set_ylim(bottom=0)
        grid[1, 0].set_ylim(bottom=0)
        grid[0, 0].set_ylabel("RSS of each worker", color=COOL.light, fontweight="bold")
        grid[1, 0].set_ylabel("left by each request", color=HOT.light, fontweight="bold")
    return figure, " ".join(_words(watch, limit_bytes) for watch in watches)


def _dressed(axes: Axes, name: str, said: str, fires: int | None, watch: Watch, *, first: bool) -> None:
    dress(axes)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=TICK_STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: byte_tick(value)))
    axes.tick_params(labelleft=first)
    if name:
        axes.set_title(name, loc="left", color=INK.light, fontweight="bold", pad=20, parse_math=False)
    ink = THIRD if fires is None else HOT
    axes.annotate(said, (0, 1), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points", color=ink.light)
    if fires is not None:
        axes.axvspan(fires, int(watch.per_request.index[-1]), color=TINT.light, linewidth=0, zorder=0)


def _said(fires: int | None) -> str:
    return _QUIET if fires is None else f"fires in minute {fires}"


def _words(watch: Watch, limit_bytes: float) -> str:
    highest = max(float(level.max()) for level in watch.level.values())
    return (
        f"{watch.name}: a worker has at most {bytes_text(highest)}; an alert at {bytes_text(limit_bytes)}:"
        f" {_said(watch.level_fires)}; an alert on growth per request: {_said(watch.growth_fires)}."
    )
