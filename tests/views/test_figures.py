"""Figures: the right panels, the right lines in them, and the same bytes each time."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as Xml

import made_findings as made
import matplotlib as mpl
import pytest

from labkit.views.figures import figure_alt, figure_svg, growth_figure

PANELS = {
    "session_store": ["Bytes kept", "Objects kept", "Worker's memory, from outside"],
    "kept_tracebacks": ["Bytes kept", "Objects kept", "Worker's memory, from outside"],
    "open_descriptors": ["Open descriptors of the worker", "Objects kept", "Worker's memory, from outside"],
    "plateau": ["Worker's memory, from outside, 2 workers", "Open descriptors and threads"],
    "undecided": ["Worker's memory, from outside", "Open descriptors and threads"],
    "without_series": [],
}


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", PANELS)
def test_panels(name: str, *, narrow: bool) -> None:
    figure = growth_figure(made.ALL[name](), narrow=narrow)
    assert [axes.get_title(loc="left") for axes in figure.axes] == PANELS[name]


def test_the_line_has_the_slope_that_was_found_and_the_band_its_interval() -> None:
    axes = growth_figure(made.session_store()).axes[0]
    fitted, measured = axes.lines
    assert list(measured.get_xdata()) == [200 + 200 * rung for rung in range(7)]
    xs, ys = fitted.get_xdata(), fitted.get_ydata()
    assert (ys[-1] - ys[0]) / (xs[-1] - xs[0]) == pytest.approx(1834.2)
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    at_end = sorted({round(float(y)) for x, y in corners if x == xs[-1]})
    assert len(at_end) == 2
    assert at_end[1] - at_end[0] == pytest.approx((1861.0 - 1808.5) * (xs[-1] - xs[1]), abs=2)


@pytest.mark.parametrize("name", made.ALL)
def test_svg_is_deterministic_well_formed_and_keeps_text(name: str) -> None:
    findings = made.ALL[name]()
    first, second = (figure_svg(growth_figure(findings), alt=figure_alt(findings)) for _ in range(2))
    assert first == second
    assert Xml.fromstring(first).tag.endswith("svg")
    assert "<text" in first
    assert not re.search(r"\b20\d\d-\d\d-\d\d", first)
    assert re.findall(r"https?://[^\"\s]+", first) == ["http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"]


def test_ids_of_two_figures_in_a_page_differ_and_references_still_lead_somewhere() -> None:
    figure = growth_figure(made.session_store())
    wide, narrow = (figure_svg(figure, id_prefix=prefix) for prefix in ("wide-", "narrow-"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (wide, narrow)]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', wide)) <= {(i, "") for i in ids[0]} | {
        ("", i) for i in ids[0]
    }


def test_colours_can_be_the_pages() -> None:
    figure = growth_figure(made.session_store())
    assert "var(" not in figure_svg(figure)
    themed = figure_svg(figure, css=True)
    assert "stroke: var(--hot, #b04300)" in themed
    assert not re.search(r"(?:stroke|fill): #", themed)


def test_alt_text() -> None:
    assert figure_alt(made.session_store()) == (
        "shop.sessions.STORE keeps 1.83 kB per request (95 % interval 1.81 to 1.86 kB):"
        " 367 kB in 67 objects after 200 requests, 2.57 MB in 466 after 1,400."
        " The worker's USS went from 19.6 MB to 21.9 MB, its RSS from 31.0 MB to 33.3 MB."
    )
    assert figure_alt(made.open_descriptors()).endswith("Its descriptors went from 59 to 359.")
    assert figure_alt(made.without_series()) == "No series was recorded."


def test_drawing_changes_nothing_global() -> None:
    # Asking for "backend" is what settles it, so it is not asked for.
    names = [name for name in mpl.rcParams if name != "backend"]
    before = {name: mpl.rcParams[name] for name in names}
    figure_svg(growth_figure(made.session_store()))
    assert {name: mpl.rcParams[name] for name in names} == before


def test_drawing_needs_no_pyplot() -> None:
    code = "import sys, labkit.views.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_threads_that_stay_are_drawn_as_threads() -> None:
    findings = made.open_descriptors()
    suspect = findings.suspects[0].model_copy(update={"kind": "threads"})
    axes = growth_figure(findings, suspect).axes[0]
    assert axes.get_title(loc="left").startswith("Threads of the worker")
    drawn = [float(value) for line in axes.lines for value in line.get_ydata()]
    assert {float(sample.threads) for sample in findings.samples} <= set(drawn)
