"""Findings and captures as pictures."""

from __future__ import annotations

from IPython.display import HTML

from labkit.findings.conclude import one_per_rung
from labkit.findings.model import Findings
from labkit.store.capture import Capture
from labkit.views import pictures
from labkit.views.figures import figure_svg
from labkit.views.memory import memory_figure


def show(findings: Findings) -> HTML:
    """The verdict in words, and what grew, as a picture."""
    return HTML(pictures.overview(findings))


def chain(findings: Findings) -> HTML:
    """The retaining chain of the first suspect as a picture."""
    return HTML(pictures.chain_picture(findings))


def outside(findings: Findings) -> HTML:
    """The worker as the operating system sees it: memory, and descriptors and threads. Who is guilty is left out."""
    return HTML(pictures.growth_picture(findings.model_copy(update={"suspects": []})))


def memory(*captures: Capture) -> HTML:
    """RSS and USS of the workers of each capture, one panel each."""
    figure, alt = memory_figure({str(c.manifest["label"]): one_per_rung(c.samples) for c in captures})
    return HTML(pictures.picture(figure_svg(figure), alt, 960))
