"""Workers from outside, side by side: what everybody has before anybody looks inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from labkit.findings.model import Sample
from labkit.views.figures import RC, WIDE_INCHES
from labkit.views.palette import INK, PAPER
from labkit.views.panels import dress, memory_panel
from labkit.views.units import bytes_text


def memory_figure(samples: Mapping[str, Sequence[Sample]]) -> tuple[Figure, str]:
    """RSS and USS over requests, one panel per name; the figure and its text alternative."""
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDE_INCHES[0], 3.0), dpi=100, layout="constrained", facecolor=PAPER.light)
        sentences = []
        for axes, (name, rows) in zip(figure.subplots(1, len(samples), squeeze=False)[0], samples.items(), strict=True):
            dress(axes)
            memory_panel(axes, list(rows))
            axes.set_title(name, loc="left", color=INK.light, fontweight="bold", parse_math=False)
            sentences.append(
                f"{name}: USS from {bytes_text(rows[0].uss_bytes)} to {bytes_text(rows[-1].uss_bytes)}"
                f" in {rows[-1].requests - rows[0].requests} requests."
            )
    return figure, " ".join(sentences)
