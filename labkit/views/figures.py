"""Growth over requests as matplotlib figures: object-oriented, no pyplot, the same bytes each time."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from labkit.findings.model import Findings, Suspect
from labkit.views.chain import SANS
from labkit.views.palette import MUTED, PAPER, themed
from labkit.views.panels import dress, panels_of
from labkit.views.units import bytes_rate, bytes_text, count_text
from labkit.views.wording import counts_things, interval_text, rate_headline

WIDE_INCHES = (9.6, 4.1)
PANEL_INCHES = (3.75, 2.5)
RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.labelsize": 8,
    "svg.fonttype": "none",
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "svg.hashsalt": "labkit",
}
_NO_METADATA: Any = {"Date": None, "Creator": None, "Format": None, "Type": None}


def growth_figure(findings: Findings, suspect: Suspect | None = None, *, narrow: bool = False) -> Figure:
    """What grows over requests, its fitted line and interval, and the worker seen from outside.

    ``suspect`` is the first one unless given; ``narrow`` stacks the panels for a phone. Always a
    figure: without data it says so.
    """
    suspect = suspect or (findings.suspects[0] if findings.suspects else None)
    with mpl.rc_context(RC):
        figure = Figure(figsize=WIDE_INCHES, dpi=100, layout="constrained", facecolor=PAPER.light)
        panels = panels_of(findings, suspect)
        if not panels:
            figure.set_size_inches(PANEL_INCHES[0], 0.8)
            figure.text(0.5, 0.5, "No series was recorded.", ha="center", va="center", color=MUTED.light)
            return figure
        for axes, draw in zip(_axes(figure, len(panels), narrow=narrow), panels, strict=True):
            dress(axes, findings.unit)
            draw(axes)
    return figure


def _axes(figure: Figure, count: int, *, narrow: bool) -> list[Axes]:
    """Panels stacked when narrow; else side by side, of three the first large and the others beside it."""
    if narrow or count == 1:
        width, height = PANEL_INCHES if narrow else (WIDE_INCHES[0], 3.2)
        figure.set_size_inches(width, height * count)
        grid = GridSpec(count, 1, figure=figure, hspace=0.06)
        return [figure.add_subplot(grid[row, 0]) for row in range(count)]
    if count == 2:
        figure.set_size_inches(WIDE_INCHES[0], 2.9)
        grid = GridSpec(1, 2, figure=figure, wspace=0.06)
        return [figure.add_subplot(grid[0, column]) for column in range(2)]
    grid = GridSpec(count - 1, 2, figure=figure, width_ratios=(1.4, 1), wspace=0.05, hspace=0.06)
    first = figure.add_subplot(grid[:, 0])
    return [first, *(figure.add_subplot(grid[row, 1]) for row in range(count - 1))]


def figure_alt(findings: Findings, suspect: Suspect | None = None) -> str:
    """The figure in words, for who cannot see it."""
    suspect = suspect or (findings.suspects[0] if findings.suspects else None)
    sentences = []
    if suspect is not None and suspect.series:
        first, last = suspect.series[0], suspect.series[-1]
        rate = f", {bytes_rate(suspect.grows.bytes_per_request, suspect.grows.per)}" if counts_things(suspect) else ""
        sentences.append(
            f"{rate_headline(suspect)}{rate} ({interval_text(suspect)}):"
            f" {bytes_text(first.bytes)} in"
            f" {count_text(first.objects)} objects after {count_text(first.requests)} requests,"
            f" {bytes_text(last.bytes)} in {count_text(last.objects)} after {count_text(last.requests)}."
        )
    if findings.samples:
        before, after = findings.samples[0], findings.samples[-1]
        sentences.append(
            f"The worker's USS went from {bytes_text(before.uss_bytes)} to {bytes_text(after.uss_bytes)},"
            f" its RSS from {bytes_text(before.rss_bytes)} to {bytes_text(after.rss_bytes)}."
        )
        if suspect is None or counts_things(suspect):
            sentences.append(f"Its descriptors went from {before.descriptors} to {after.descriptors}.")
    return " ".join(sentences) or "No series was recorded."


def figure_svg(figure: Figure, *, id_prefix: str = "", alt: str = "", css: bool = False) -> str:
    """The figure as one ``<svg>`` element, text kept as text, no dates: the same bytes each time.

    ``id_prefix`` keeps several figures in one page apart; ``alt`` is its label for screen readers;
    with ``css`` colours are the page's variables.
    """
    buffer = io.StringIO()
    with mpl.rc_context(RC):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"'DejaVu Sans'(, [^;\"]*)?", SANS, svg)
    svg = re.sub(r'((?<=[\s<])id="|href="#|url\(#)', rf"\g<1>{id_prefix}", svg)
    label = f' role="img" aria-label="{escape(alt)}"' if alt else ""
    svg = svg.replace("<svg ", f'<svg{label} style="stroke-linejoin: round" ', 1)
    return themed(svg) if css else svg
