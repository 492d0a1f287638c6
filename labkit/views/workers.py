"""All workers of a service from outside, over the requests that the service answered: those that ended, too."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from labkit.findings.model import Sample
from labkit.views.figures import RC, WIDE_INCHES
from labkit.views.palette import COOL, HOT, INK, MUTED, PAPER, THIRD
from labkit.views.panels import TICK_STEPS, byte_tick, dress
from labkit.views.units import bytes_text

_LOOKS = ((COOL, "o"), (HOT, "s"), (THIRD, "^"), (MUTED, "D"))


def workers_figure(samples: Sequence[Sample]) -> tuple[Figure, str]:
    """The USS of each worker, one line each, and the same in words."""
    rows: dict[int, list[Sample]] = {}
    for sample in samples:
        rows.setdefault(sample.pid, []).append(sample)
    at_a_time = max(sum(sample.requests == one.requests for sample in samples) for one in samples)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDE_INCHES[0], 3.2), dpi=100, layout="constrained", facecolor=PAPER.light)
        axes = figure.subplots()
        dress(axes)
        for number, looks in enumerate(rows.values()):
            ink, mark = _LOOKS[number % len(_LOOKS)]
            xs, ys = [look.requests for look in looks], [look.uss_bytes for look in looks]
            axes.plot(xs, ys, color=ink.light, marker=mark, markersize=3.5, linewidth=1.5, clip_on=False)
        axes.set_ylim(bottom=0, top=1.12 * max(sample.uss_bytes for sample in samples))
        axes.set_xlim(0, max(1, *(sample.requests for sample in samples)) * 1.02)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=TICK_STEPS))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: byte_tick(value)))
        many = f"USS of each worker: {at_a_time} at a time, {len(rows)} in all"
        title = many if len(rows) > 1 else "USS of the worker"
        axes.set_title(title, loc="left", color=INK.light, fontweight="bold", parse_math=False)
    smallest, largest = (bytes_text(pick(one.uss_bytes for one in samples)) for pick in (min, max))
    requests = max(one.requests for one in samples)
    return figure, f"{title}. Between {smallest} and {largest} in {requests:,} requests."
