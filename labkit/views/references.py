"""A few objects and the references between them, drawn in rows from the roots down; no layout program."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from labkit.views.chain import MONO, SANS
from labkit.views.names import elided
from labkit.views.palette import CARD, COOL, HOT, INK, MUTED, RULE, Colour
from labkit.views.units import bytes_text, plural

WIDTH = 960
BOX_WIDTH, BOX_HEIGHT = 176, 66
ROW_HEIGHT = 150
MARGIN = 8
LABEL_STEP = 130
_LABEL = BOX_HEIGHT + 30
_LARGE = 0.5  # what retains at least half as much as the largest that is no root stands out
_NAME_COLUMNS = 20


@dataclass(frozen=True)
class Box:
    """One object: its type or name, its sizes, and its row, 0 for roots."""

    name: str
    shallow_bytes: int
    retained_bytes: int
    row: int


@dataclass(frozen=True)
class Arrow:
    """A reference from one box to another, by their places, with the name the holder has for it."""

    source: int
    target: int
    label: str


def references_svg(boxes: list[Box], arrows: list[Arrow], id_prefix: str = "references") -> str:
    """The drawing as one ``<svg>``, 960 wide; colours are CSS variables with light fallbacks."""
    places = _places(boxes)
    height = 2 * MARGIN + max((box.row for box in boxes), default=0) * ROW_HEIGHT + BOX_HEIGHT
    large = _LARGE * max((box.retained_bytes for box in boxes if box.row), default=0)
    labels = _labels(arrows, places)
    parts = [_line(labels[one.source, one.label], places[one.target]) for one in arrows]
    parts += [_label(places[source], place, name) for (source, name), place in labels.items()]
    parts += [_box(box, *place, box.row > 0 and box.retained_bytes >= large) for box, place in _both(boxes, places)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-labelledby="{id_prefix}-title"><title id="{id_prefix}-title">'
        f"{escape(references_alt(boxes, arrows))}</title>{''.join(parts)}</svg>"
    )


def references_alt(boxes: list[Box], arrows: list[Arrow]) -> str:
    """The drawing in words."""
    sizes = [
        f"{box.name} has {bytes_text(box.shallow_bytes)} itself and retains {bytes_text(box.retained_bytes)}"
        for box in boxes
    ]
    said = [f"{boxes[one.source].name} refers to {boxes[one.target].name} ({one.label})" for one in arrows]
    return f"{plural(len(boxes), 'object')}: {'; '.join(dict.fromkeys([*sizes, *said]))}."


def _both(boxes: list[Box], places: list[tuple[float, float]]) -> list[tuple[Box, tuple[float, float]]]:
    return list(zip(boxes, places, strict=True))


def _places(boxes: list[Box]) -> list[tuple[float, float]]:
    """The middle of each box's upper edge; a row is spread over the width."""
    rows: dict[int, list[int]] = {}
    for number, box in enumerate(boxes):
        rows.setdefault(box.row, []).append(number)
    places = [(0.0, 0.0)] * len(boxes)
    for row, numbers in rows.items():
        step = (WIDTH - 2 * MARGIN) / len(numbers)
        for place, number in enumerate(numbers):
            places[number] = (MARGIN + step * (place + 0.5), MARGIN + row * ROW_HEIGHT)
    return places


def _box(box: Box, x: float, y: float, stands_out: bool) -> str:
    line: Colour = COOL if not box.row else HOT if stands_out else RULE
    left = x - BOX_WIDTH / 2
    retains = "always alive" if not box.row else f"retains {bytes_text(box.retained_bytes)}"
    return (
        f'<rect x="{left:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="9" style="fill: {CARD.css};'
        f' stroke: {line.css}; stroke-width: {1.0 if line is RULE else 1.8}"/>'
        + _text(x, y + 22, elided(box.name, _NAME_COLUMNS), INK, MONO, 13, bold=True)
        + _text(x, y + 40, f"{bytes_text(box.shallow_bytes)} itself", MUTED, SANS, 12)
        + _text(x, y + 57, retains, line if line is not RULE else MUTED, SANS, 12, bold=stands_out)
    )


def _line(label: tuple[float, float], target: tuple[float, float]) -> str:
    (x0, y0), (x1, y1) = label, target
    bend = (y1 - y0) / 2
    return (
        f'<path d="M{x0:g} {y0:g}C{x0:g} {y0 + bend:g} {x1:g} {y1 - bend:g} {x1:g} {y1 - 8:g}"'
        f' style="fill: none; stroke: {MUTED.css}; stroke-width: 1.4"/>'
        f'<path d="M{x1 - 5:g} {y1 - 9:g}L{x1:g} {y1:g}L{x1 + 5:g} {y1 - 9:g}Z" style="fill: {MUTED.css}"/>'
    )


def _labels(arrows: list[Arrow], places: list[tuple[float, float]]) -> dict[tuple[int, str], tuple[float, float]]:
    """The middle of each name's lower edge: once for all references that go by it, in the order of where they lead."""
    by_source: dict[int, dict[str, float]] = {}
    for one in arrows:
        by_source.setdefault(one.source, {}).setdefault(one.label, places[one.target][0])
    return {
        (source, name): (places[source][0] + (place - (len(names) - 1) / 2) * LABEL_STEP, places[source][1] + _LABEL)
        for source, names in by_source.items()
        for place, name in enumerate(sorted(names, key=lambda name: names[name]))
    }


def _label(source: tuple[float, float], place: tuple[float, float], name: str) -> str:
    (x, y), (middle, bottom) = (source[0], source[1] + BOX_HEIGHT), place
    stub = f'<path d="M{x:g} {y:g}L{middle:g} {bottom - 18:g}" style="stroke: {MUTED.css}; stroke-width: 1.4"/>'
    return stub + _text(middle, bottom - 4, name, INK, MONO, 12)


def _text(x: float, y: float, text: str, ink: Colour, face: str, size: float, *, bold: bool = False) -> str:
    style = f"font: {'600' if bold else '400'} {size:g}px {face}; fill: {ink.css}; text-anchor: middle"
    return f'<text x="{x:g}" y="{y:g}" style="{style}">{escape(text)}</text>'
