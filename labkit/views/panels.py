"""The panels of a figure: each draws one thing the findings hold into axes it is given."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from labkit.findings.model import Findings, Sample, SeriesPoint, Suspect, Unit
from labkit.views.palette import COOL, HOT, INK, MUTED, RULE, THIRD, Colour
from labkit.views.units import bytes_rate, bytes_text, objects_rate
from labkit.views.wording import counts_things, interval_text

Panel = Callable[[Axes], None]
BAND_OPACITY = 0.16
LEAST_MEMORY_SPAN_BYTES = 2_000_000  # so that noise of a few pages does not look like a mountain
LEAST_COUNT_SPAN = 4
TICK_STEPS = [1, 2, 5, 10]


def panels_of(findings: Findings, suspect: Suspect | None) -> list[Panel]:
    """What there is to draw, the most telling first; empty when nothing was recorded."""
    samples = findings.samples
    series = suspect.series if suspect is not None else []
    draws: list[Panel] = []
    if suspect is not None and counts_things(suspect) and samples:
        draws.append(lambda axes: _counts(axes, samples, suspect))
        if series:
            draws.append(lambda axes: _objects(axes, suspect, series))
    elif suspect is not None and series:
        draws.append(lambda axes: _bytes(axes, suspect, series))
        draws.append(lambda axes: _objects(axes, suspect, series))
    if samples:
        draws.append(lambda axes: memory_panel(axes, samples))
        if suspect is None:
            draws.append(lambda axes: _descriptors_and_threads(axes, samples))
    return draws


def dress(axes: Axes, unit: Unit = "request") -> None:
    """The common look: no box, quiet grid, requests or seconds along the bottom."""
    axes.set_facecolor("none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE.light)
    axes.grid(visible=True, axis="y", color=RULE.light, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED.light, length=0, pad=4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=TICK_STEPS, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel(
        "seconds since the first look" if unit == "second" else "requests served", color=MUTED.light, loc="right"
    )


def _title(axes: Axes, text: str, detail: str = "") -> None:
    """A panel's title at the left, with a quieter line of detail below it."""
    axes.set_title(text, loc="left", color=INK.light, fontweight="bold", pad=20 if detail else 8, parse_math=False)
    if detail:
        axes.annotate(
            detail,
            (0, 1),
            xytext=(0, 7),
            xycoords="axes fraction",
            textcoords="offset points",
            color=MUTED.light,
            parse_math=False,
            annotation_clip=False,
        )


def byte_tick(amount_bytes: float) -> str:
    """Bytes for an axis: ``100 kB``, ``1.5 MB``, without the zeros that a measured number would keep."""
    return re.sub(r"(\.\d*?)0+(?= )", r"\1", bytes_text(amount_bytes)).replace(". ", " ")


def _byte_axis(axes: Axes) -> None:
    """Bytes in human units up the side."""
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=TICK_STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: byte_tick(value)))


def _count_axis(axes: Axes) -> None:
    """Whole numbers up the side."""
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=TICK_STEPS, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _line(axes: Axes, xs: Sequence[float], ys: Sequence[float], ink: Colour, name: str = "", mark: str = "o") -> None:
    """Measured points joined by a line, named above its end."""
    axes.plot(xs, ys, color=ink.light, linewidth=1.8, marker=mark, markersize=4.5, clip_on=False)
    if name:
        axes.annotate(
            name,
            (xs[-1], ys[-1]),
            xytext=(4, 7),
            textcoords="offset points",
            ha="right",
            color=ink.light,
            fontweight="bold",
            annotation_clip=False,
        )


def _fit(axes: Axes, points: Sequence[tuple[float, float]], slope: float, ends: tuple[float, float] | None) -> None:
    """The found slope, and its interval as a band, through the middle of the points, as least squares has it."""
    xs = [x for x, _ in points]
    middle_x = sum(xs) / len(xs)
    middle_y = sum(y for _, y in points) / len(points)
    across = [min(xs), middle_x, max(xs)]
    if ends is not None:
        low, high = ([middle_y + rate * (x - middle_x) for x in across] for rate in ends)
        axes.fill_between(across, low, high, color=HOT.light, alpha=BAND_OPACITY, linewidth=0)
    heights = [middle_y + slope * (x - middle_x) for x in across]
    axes.plot(across, heights, color=HOT.light, linewidth=1.3, linestyle=(0, (5, 3)))


def _points(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """The measured points of what grows, on an axis that starts at nothing."""
    axes.plot(*zip(*points, strict=True), "o", color=HOT.light, markersize=5.5, clip_on=False, zorder=3)
    axes.set_ylim(bottom=0, top=max(1.0, *(y for _, y in points)) * 1.12)
    _from_warm_up(axes, [x for x, _ in points])


def _bytes(axes: Axes, suspect: Suspect, series: list[SeriesPoint]) -> None:
    points = [(float(point.requests), float(point.bytes)) for point in series]
    _fit(axes, points, suspect.grows.bytes_per_request, suspect.grows.interval95)
    _points(axes, points)
    _byte_axis(axes)
    _title(
        axes,
        "Bytes kept",
        f"{bytes_rate(suspect.grows.bytes_per_request, suspect.grows.per)}, {interval_text(suspect)}",
    )


def _objects(axes: Axes, suspect: Suspect, series: list[SeriesPoint]) -> None:
    points = [(float(point.requests), float(point.objects)) for point in series]
    _fit(axes, points, suspect.grows.objects_per_request, None)
    _points(axes, points)
    _count_axis(axes)
    _title(axes, "Objects kept", objects_rate(suspect.grows.objects_per_request, suspect.grows.per))


def _by_worker(samples: list[Sample]) -> list[list[Sample]]:
    """The samples of each worker in order of requests."""
    workers: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        workers[sample.pid].append(sample)
    return [sorted(rows, key=lambda row: (row.requests, row.time_s)) for _, rows in sorted(workers.items())]


def _from_warm_up(axes: Axes, requests: Sequence[float]) -> None:
    """Requests from none on, with the warm-up before the first point set apart."""
    first, last = min(requests), max(requests)
    axes.set_xlim(0, max(last, 1) * 1.03)
    if first > 0:
        axes.axvspan(0, first, color=RULE.light, alpha=0.45, linewidth=0, zorder=0)


def _span(axes: Axes, values: list[float], least: float) -> None:
    """Limits around the values, never narrower than ``least``, never below nothing."""
    low, high = min(values), max(values)
    pad = max(0.0, least - (high - low)) / 2 + 0.1 * max(high - low, least)
    axes.set_ylim(max(0.0, low - pad), high + 2.4 * pad)


def memory_panel(axes: Axes, samples: list[Sample]) -> None:
    workers = _by_worker(samples)
    for rows in workers:
        last = rows is workers[-1]
        xs = [float(row.requests) for row in rows]
        _line(axes, xs, [float(row.rss_bytes) for row in rows], THIRD, "RSS" if last else "", "s")
        _line(axes, xs, [float(row.uss_bytes) for row in rows], COOL, "USS" if last else "")
    _from_warm_up(axes, [row.requests for row in samples])
    _span(axes, [float(v) for row in samples for v in (row.rss_bytes, row.uss_bytes)], LEAST_MEMORY_SPAN_BYTES)
    _byte_axis(axes)
    many = f", {len(workers)} workers" if len(workers) > 1 else ""
    _title(axes, f"Worker's memory, from outside{many}")


def _counts(axes: Axes, samples: list[Sample], suspect: Suspect) -> None:
    """What runs out by its number, of each worker: threads, or open descriptors."""
    workers = _by_worker(samples)
    threads, slope = suspect.kind == "threads", suspect.grows.objects_per_request
    series = [[float(row.threads if threads else row.descriptors) for row in rows] for rows in workers]
    if len(workers) == 1:
        _fit(
            axes, [(float(row.requests), count) for row, count in zip(workers[0], series[0], strict=True)], slope, None
        )
    for rows, counts in zip(workers, series, strict=True):
        _line(axes, [float(row.requests) for row in rows], counts, HOT, "")
    _from_warm_up(axes, [row.requests for row in samples])
    _span(axes, [count for counts in series for count in counts], LEAST_COUNT_SPAN)
    _count_axis(axes)
    axes.set_ylim(bottom=0)
    what = "Threads of the worker" if threads else "Open descriptors of the worker"
    _title(axes, what, objects_rate(slope, suspect.grows.per).replace(" ", " more ", 1))


def _descriptors_and_threads(axes: Axes, samples: list[Sample]) -> None:
    workers = _by_worker(samples)
    for rows in workers:
        last = rows is workers[-1]
        xs = [float(row.requests) for row in rows]
        _line(axes, xs, [float(row.descriptors) for row in rows], COOL, "descriptors" if last else "")
        _line(axes, xs, [float(row.threads) for row in rows], THIRD, "threads" if last else "", "s")
    _from_warm_up(axes, [row.requests for row in samples])
    _span(axes, [float(count) for row in samples for count in (row.descriptors, row.threads)], LEAST_COUNT_SPAN)
    _count_axis(axes)
    _title(axes, "Open descriptors and threads")
