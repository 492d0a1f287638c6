"""One self-contained HTML file for whoever was not there: no script, no request, the same bytes each time."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from labkit.findings.model import Findings, Suspect
from labkit.store.beside import written_beside
from labkit.views import units, wording
from labkit.views.chain import chain_sentence, chain_svg, chain_text
from labkit.views.figures import figure_alt, figure_svg, growth_figure
from labkit.views.names import PROSE_LIMIT, command_shown, prose, short_path, shown
from labkit.views.opinions import opinion_rows
from labkit.views.palette import css_variables

TEMPLATE = "report.html.j2"
MOST_HOLDERS = 8
_GATE_LIMIT = 4 * PROSE_LIMIT  # whatever a filter forgot to shorten


def _gate(value: object) -> object:
    """Every value the template prints passes here: what acts is escaped, whoever wrote the template."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(shown(line, _GATE_LIMIT) for line in value.split("\n"))


def _environment() -> Environment:
    """Jinja with HTML escaping on for everything, and the wording as filters."""
    environment = Environment(
        loader=PackageLoader("labkit.views"),
        autoescape=True,
        finalize=_gate,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        name=shown,
        prose=prose,
        path=short_path,
        command=command_shown,
        bytes=units.bytes_text,
        count=units.count_text,
        number=units.number,
        kind=wording.kind_text,
        explained_kind=wording.explained_kind_text,
        interval=wording.interval_text,
        projection=wording.projection,
        moment=wording.moment_text,
        sites=wording.sites_text,
        rate_headline=wording.rate_headline,
        counts_things=wording.counts_things,
        chain_text=lambda suspect: chain_text(suspect, limit=40),
        chain_sentence=chain_sentence,
        breakable=_breakable,
        share=_share,
    )
    return environment


def _breakable(text: str) -> Markup:
    """Text whose dotted names may break after a dot or an underscore, before they break anywhere else."""
    return Markup(re.sub(r"(?<=\w)([._])(?=[^\W\d])", r"\1<wbr>", str(escape(_gate(text)))))  # noqa: S704 - escaped here


def _share(amount: float | None, whole: float | None) -> str:
    """A bar's width in percent of its full length."""
    if not amount or not whole or whole < 0:
        return "0"
    return f"{min(100.0, max(0.0, 100 * amount / whole)):.1f}"


def render_report(findings: Findings) -> str:
    """The report as HTML; the same findings give the same bytes."""
    first = findings.suspects[0] if findings.suspects else None
    times, per = units.rate_shown(findings.unit)
    template = _environment().get_template(TEMPLATE)
    return template.render(
        findings=findings,
        first=first,
        times=times,
        per=per,
        workers=wording.worker_count(findings),
        others=findings.suspects[1:],
        title=f"{wording.verdict_text(findings)}: {wording.target_text(findings)}",
        verdict=wording.verdict_text(findings),
        target=wording.target_text(findings),
        headline=wording.headline(findings),
        answer=wording.answer(findings),
        explained_heading=wording.explained_heading(findings),
        cost=wording.cost_rows(findings),
        values_warning=wording.VALUES_WARNING if findings.holds_values else "",
        opinions=opinion_rows(findings),
        ledger=wording.ledger_rows(findings.ledger, findings.unit),
        statuses=wording.statuses_text(findings.provenance.statuses),
        glossary=wording.GLOSSARY,
        chain=Markup(chain_svg(first)) if first and first.kind != "native" else None,  # noqa: S704 - built from escaped parts
        figures=_figures(findings, first),
        figure_alt=figure_alt(findings, first),
        colours={
            "light": Markup(css_variables()),  # noqa: S704 - constants
            "dark": Markup(css_variables(dark=True)),  # noqa: S704 - constants
        },
        most_holders=MOST_HOLDERS,
    )


def _figures(findings: Findings, first: Suspect | None) -> dict[str, Markup]:
    """The growth figure for a wide page and for a phone; empty when there is nothing to draw."""
    if not findings.samples and not (first and first.series):
        return {}
    alt = figure_alt(findings, first)
    drawn = {}
    for name, narrow in (("wide", False), ("narrow", True)):
        figure = growth_figure(findings, first, narrow=narrow)
        drawn[name] = Markup(figure_svg(figure, id_prefix=f"{name}-", alt=alt, css=True))  # noqa: S704
    return drawn


def write_report(findings: Findings, path: Path) -> Path:
    """Write the report beside ``path`` and rename it into place; raises CannotWrite."""
    with written_beside(path) as stream:
        stream.write(render_report(findings))
    return path
