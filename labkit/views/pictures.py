"""Views for a notebook's output: HTML that keeps its looks when exported, read aloud or untrusted.

Pictures are ``<img>`` with a data address and alternative text: their ids cannot clash, no script is
needed, and an exported page asks nobody for them.
"""

from __future__ import annotations

import base64
from html import escape

from labkit.findings.model import Findings, Suspect
from labkit.views.chain import WIDTH, chain_sentence, chain_svg
from labkit.views.figures import figure_alt, figure_svg, growth_figure
from labkit.views.names import prose
from labkit.views.palette import AMBER, HOT, PAPER, THIRD
from labkit.views.wording import answer, explained_heading, explained_kind_text, headline, verdict_text

_VERDICT_COLOURS = {"suspect": HOT, "clean": THIRD, "inconclusive": AMBER}


def picture(svg: str, alt: str, width_px: int) -> str:
    """An SVG as an image on light paper, for a notebook's theme is not ours to know."""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    style = f"background: {PAPER.light}; border-radius: 8px; padding: 8px; max-width: 100%; width: {width_px}px"
    return f'<img alt="{escape(alt)}" style="{style}" src="data:image/svg+xml;base64,{data}">'


def growth_picture(findings: Findings, suspect: Suspect | None = None) -> str:
    """The growth figure as HTML, its meaning in the alternative text."""
    alt = figure_alt(findings, suspect)
    return picture(figure_svg(growth_figure(findings, suspect)), alt, 960)


def chain_picture(findings: Findings, suspect: Suspect | None = None) -> str:
    """The retaining chain as HTML; a sentence when there is no suspect."""
    suspect = suspect or (findings.suspects[0] if findings.suspects else None)
    if suspect is None:
        return "<p>No suspect, so no chain to show.</p>"
    return picture(chain_svg(suspect), f"Retaining chain: {chain_sentence(suspect)}", WIDTH)


def overview(findings: Findings) -> str:
    """Verdict, answer, what is explained or missing, chain and figure as one piece of HTML."""
    colour = _VERDICT_COLOURS[findings.verdict].light
    badge = (
        f'<span style="display: inline-block; background: {colour}; color: #ffffff; border-radius: 999px;'
        f' padding: 2px 12px; font-weight: 600">{escape(verdict_text(findings))}</span>'
    )
    sentences = "".join(f'<p style="max-width: 46em; margin: 4px 0">{escape(text)}</p>' for text in answer(findings))
    notes = [f"{explained_kind_text(item.kind)}: {prose(item.why)}" for item in findings.explained]
    notes += [f"missing: {prose(text)}" for text in findings.missing]
    heading = f"<p>{escape(explained_heading(findings)[0])}:</p>" if findings.basis == "snapshot" and notes else ""
    listed = f"{heading}<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""
    chain = f"<div>{chain_picture(findings)}</div>" if findings.suspects else ""
    return (
        f'<div>{badge}<div style="font-size: 1.35em; font-weight: 600; margin: 8px 0; overflow-wrap: anywhere">'
        f"{escape(headline(findings))}</div>{sentences}{listed}"
        f'<div style="display: grid; gap: 12px; margin-top: 12px">{chain}'
        f"<div>{growth_picture(findings)}</div></div></div>"
    )
