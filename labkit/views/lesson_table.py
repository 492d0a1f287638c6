"""A table of a lesson as HTML: nothing cut off, read from the left, what was left behind in colour."""

from __future__ import annotations

from html import escape

from labkit.views.chain import MONO
from labkit.views.names import shown
from labkit.views.palette import HOT, INK, MUTED, RULE

LEFT, YES, NO = "LEFT", "yes", "–"
_QUIET = (NO, 0, "not taken", "given back")
_CELL = f"text-align: left; padding: 4px 16px 4px 0; white-space: nowrap; border-bottom: 1px solid {RULE.css}"
_LONGEST_CELL = 200


def lesson_table(title: str, columns: list[str], names: list[str], rows: list[list[object]], many: int = 0) -> str:
    """A row for each of ``names``, the names as code; numbers from ``many`` on are marked, if it is not 0."""
    head = "".join(f'<th style="{_CELL}">{escape(text)}</th>' for text in (title, *columns))
    body = "".join(
        f'<tr><td style="{_CELL}; font-family: {escape(MONO)}">{escape(shown(name, _LONGEST_CELL))}</td>'
        + "".join(_cell(value, many) for value in row)
        + "</tr>"
        for name, row in zip(names, rows, strict=True)
    )
    style = f"border-collapse: collapse; font-size: 13px; color: {INK.css}; background: none"
    return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(value: object, many: int) -> str:
    marked = value == LEFT or (isinstance(value, int) and many > 0 and value >= many)
    colour = f"; color: {HOT.css}; font-weight: 600" if marked else ""
    colour = f"; color: {MUTED.css}" if value in _QUIET else colour
    return f'<td style="{_CELL}{colour}">{escape(shown(str(value), _LONGEST_CELL))}</td>'
