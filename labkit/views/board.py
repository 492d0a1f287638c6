"""The board of a class: a table for the terminal, and a page for the wall that renews itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from labkit.views.palette import css_variables

#: So often the page looks for news.
RELOAD_S = 5
_WORDS = ("team", "what holds it", "answers", "the cure", "checks")
_STYLE = """
body { background: var(--paper); color: var(--ink); font: 22px/1.5 system-ui, sans-serif; margin: 3rem auto;
  max-width: 62rem; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 } p { color: var(--muted); font-size: 1rem }
table { border-collapse: collapse; width: 100% } th { color: var(--muted); font-size: 0.9rem; font-weight: 500 }
th, td { border-bottom: 1px solid var(--rule); padding: 0.5rem 1rem 0.5rem 0; text-align: left }
.done { color: var(--third); font-weight: 600 } .near { color: var(--amber) } .open { color: var(--muted) }
.number { font-variant-numeric: tabular-nums }
"""


@dataclass(frozen=True)
class Row:
    """A team: what its last answer and its last check were, and since when both are right."""

    team: str
    answers: int = 0
    answer: str = ""
    found_at: str = ""
    checks: int = 0
    check: str = ""
    passed_at: str = ""

    @property
    def holder_text(self) -> str:
        """``found at 10:42``, or what the last answer was."""
        return f"found at {self.found_at[11:16]}" if self.found_at else self.answer or "open"

    @property
    def cure_text(self) -> str:
        """``passed at 11:03``, or what the last check was."""
        return f"passed at {self.passed_at[11:16]}" if self.passed_at else self.check or "open"


def board_text(rows: Sequence[Row]) -> str:
    """One line for each team."""
    table = [_WORDS, *(_cells(row) for row in rows)]
    widths = [max(len(cells[n]) for cells in table) for n in range(len(_WORDS))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)) for cells in table]
    return "\n".join(line.rstrip() for line in [*lines, "", _summary(rows)])


def board_page(rows: Sequence[Row]) -> str:
    """The page; it asks nobody but the disk, and is written anew whenever the board changes."""
    head = "".join(f"<th>{escape(word)}</th>" for word in _WORDS)
    body = "\n".join(f"<tr>{''.join(_html_cells(row))}</tr>" for row in rows)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="{RELOAD_S}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The class: {escape(_summary(rows))}</title>
<style>
:root {{ {css_variables()} }}
@media (prefers-color-scheme: dark) {{ :root {{ {css_variables(dark=True)} }} }}
{_STYLE.strip()}
</style>
<h1>What holds the memory?</h1>
<p>{escape(_summary(rows))}</p>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</html>
"""


def _cells(row: Row) -> tuple[str, ...]:
    return (row.team, row.holder_text, str(row.answers), row.cure_text, str(row.checks))


def _html_cells(row: Row) -> list[str]:
    done = (bool(row.found_at), bool(row.passed_at))
    near = (row.answer == "near", False)
    looks = ["done" if done[n] else "near" if near[n] else "open" for n in (0, 1)]
    classes = ["", looks[0], "number", looks[1], "number"]
    marks = ["", "✓ " if done[0] else "", "", "✓ " if done[1] else "", ""]
    return [
        f'<td class="{look}">{mark}{escape(cell)}</td>'
        for look, mark, cell in zip(classes, marks, _cells(row), strict=True)
    ]


def _summary(rows: Sequence[Row]) -> str:
    found, passed = sum(bool(row.found_at) for row in rows), sum(bool(row.passed_at) for row in rows)
    return f"{len(rows)} team{'s' * (len(rows) != 1)}: {found} found it, {passed} mended it"
