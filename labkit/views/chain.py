"""The retaining chain as a picture (inline SVG, no layout program) and as text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from labkit.findings.model import Suspect
from labkit.views.names import elided, shown
from labkit.views.palette import CARD, HOT, INK, MUTED, PAPER, RULE, Colour
from labkit.views.steps import Step, shortened, steps_of
from labkit.views.units import bytes_text, number, rate_shown

WIDTH = 420
MARGIN = 2
CARD_WIDTH = WIDTH - 2 * MARGIN - 8  # the growing end is a stack of cards: 8 to the right
EDGE_HEIGHT = 46
NAME_SIZE = 13.5
NAME_ADVANCE = 8.2  # of the widest usual monospace face at NAME_SIZE
NAME_COLUMNS = int((CARD_WIDTH - 32) / NAME_ADVANCE)
EDGE_COLUMNS = 34
ROLE_COLUMNS = 37
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


@dataclass
class _Canvas:
    """SVG elements so far, and where the next one begins."""

    parts: list[str]
    top: float = MARGIN

    def text(self, x: float, y: float, text: str, *, ink: Colour, face: str, size: float, bold: bool = False) -> None:
        """One line of text with its baseline at ``y``."""
        weight = "600" if bold else "400"
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" xml:space="preserve" style="font: {weight} {size:g}px {face};'
            f' fill: {ink.css}">{escape(text)}</text>'
        )

    def box(self, x: float, y: float, height: float, *, line: Colour, fill: Colour, thick: float = 1.0) -> None:
        """A rounded card."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{CARD_WIDTH}" height="{height:g}" rx="9"'
            f' style="fill: {fill.css}; stroke: {line.css}; stroke-width: {thick:g}"/>'
        )


def wrapped_name(name: str, columns: int = NAME_COLUMNS) -> tuple[str, ...]:
    """A name in one line, or in two broken after a dot or a space, the second elided if it must be."""
    if len(name) <= columns:
        return (name,)
    breaks = [at + 1 for at in range(columns) if name[at] in ". _:"]
    cut = breaks[-1] if breaks and breaks[-1] > columns // 3 else columns
    return name[:cut], elided(name[cut:], columns)


def _role(step: Step, suspect: Suspect) -> str:
    """The small print of a card: the part this node plays."""
    if step.grows:
        grows = suspect.grows
        times, words = rate_shown(grows.per)
        objects, size = grows.objects_per_request * times, grows.bytes_per_request * times
        counted = f"+{number(objects)} objects, " if objects else ""
        return f"{counted}+{bytes_text(size)} {words}"
    if step.is_retainer:
        return f"{elided(shown(suspect.retainer), ROLE_COLUMNS)} holds the growth"
    return "always alive" if step.is_root else ""


def _draw_card(canvas: _Canvas, step: Step, suspect: Suspect) -> None:
    """One node: a card with its name and its role; a stack of cards where the growth is."""
    lines = wrapped_name(step.name)
    role = _role(step, suspect)
    height = 22 + 18 * (len(lines) + bool(role)) - (0 if role else 2)
    marked = step.grows or step.is_retainer
    if step.grows:
        for shift in (8, 4):
            canvas.box(MARGIN + shift, canvas.top + shift, height, line=HOT, fill=PAPER)
    canvas.box(
        MARGIN,
        canvas.top,
        height,
        line=HOT if marked else RULE,
        fill=PAPER if step.grows else CARD,
        thick=1.6 if marked else 1.0,
    )
    baseline = canvas.top + 25
    for line in lines:
        canvas.text(MARGIN + 16, baseline, line, ink=INK, face=MONO, size=NAME_SIZE, bold=True)
        baseline += 18
    if role:
        canvas.text(MARGIN + 16, baseline, role, ink=HOT if marked else MUTED, face=SANS, size=12.5)
    canvas.top += height + (8 if step.grows else 0)


def _draw_edge(canvas: _Canvas, step: Step) -> None:
    """The reference into ``step``: an arrow with its label; thick and named when it is the guilty one."""
    ink = HOT if step.is_guilty else MUTED
    x, top, end = MARGIN + 28, canvas.top, canvas.top + EDGE_HEIGHT
    thick = 3.2 if step.is_guilty else 1.4
    head = 6 if step.is_guilty else 4.5
    canvas.parts.append(
        f'<path d="M{x:g} {top:g}V{end - head:g}" style="fill: none; stroke: {ink.css}; stroke-width: {thick:g}"/>'
        f'<path d="M{x - head:g} {end - head * 1.7:g}L{x:g} {end:g}L{x + head:g} {end - head * 1.7:g}Z"'
        f' style="fill: {ink.css}"/>'
    )
    label = elided(step.edge, EDGE_COLUMNS) or "refers to"
    middle = top + EDGE_HEIGHT / 2 + 4
    canvas.text(x + 16, middle, label, ink=ink, face=MONO, size=13, bold=step.is_guilty)
    if step.is_guilty:
        after = x + 16 + 8.0 * len(label) + 10
        canvas.text(after, middle, "grows here", ink=HOT, face=SANS, size=12.5)
    canvas.top = end


def _draw_gap(canvas: _Canvas, left_out: int) -> None:
    """A dotted stretch that stands for the steps left out."""
    x, top = MARGIN + 28, canvas.top
    canvas.parts.append(
        f'<path d="M{x} {top:g}v{EDGE_HEIGHT - 12}" style="stroke: {MUTED.css}; stroke-width: 2;'
        ' stroke-dasharray: 1 5; stroke-linecap: round"/>'
    )
    canvas.text(x + 16, top + 22, f"{left_out} more steps", ink=MUTED, face=SANS, size=12.5)
    canvas.top = top + EDGE_HEIGHT - 12


def chain_svg(suspect: Suspect, *, id_prefix: str = "chain") -> str:
    """The chain from root to growth, top to bottom, 420 wide, as one ``<svg>`` element.

    Colours are CSS variables with light fallbacks; the text alternative is its title and description.
    """
    steps, left_out = shortened(steps_of(suspect))
    canvas = _Canvas([])
    for row, step in enumerate(steps):
        if left_out and row == len(steps) // 3:
            _draw_gap(canvas, left_out)
        if row:
            _draw_edge(canvas, step)
        _draw_card(canvas, step, suspect)
    height = canvas.top + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"'
        f' height="{height:g}" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc">'
        f'<title id="{id_prefix}-title">Retaining chain of {escape(shown(suspect.retainer, 80))}</title>'
        f'<desc id="{id_prefix}-desc">{escape(chain_sentence(suspect))}</desc>' + "".join(canvas.parts) + "</svg>"
    )


def chain_sentence(suspect: Suspect) -> str:
    """The chain in one line: ``module shop -> STORE: dict -> [*]: Session``."""
    steps, left_out = shortened(steps_of(suspect, name_limit=80))
    words = [f"{step.edge}: {step.name}" if step.edge else step.name for step in steps]
    if left_out:
        words.insert(len(steps) // 3, f"{left_out} more steps")
    return " → ".join(words)


def chain_text(suspect: Suspect, *, limit: int = 200) -> str:
    """The chain as indented lines, one per step, the growing end marked."""
    steps, left_out = shortened(steps_of(suspect), limit)
    lines = []
    for row, step in enumerate(steps):
        if left_out and row == len(steps) // 3:
            lines.append("  " * row + f"({left_out} more steps)")
        mark = "   <- grows here" if step.is_guilty else ""
        lines.append("  " * row + (f"{step.edge} -> " if step.edge else "") + step.name + mark)
    return "\n".join(lines)
