"""The cards of an exercise, as HTML that keeps its looks when exported; every word of a learner's file is escaped."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

from labkit.views.names import shown
from labkit.views.palette import AMBER, CARD, COOL, HOT, INK, MUTED, RULE, THIRD, Colour

_LONGEST_TEXT = 2000
_ANSWERS = {
    "right": "is what holds the memory.",
    "near": "has to do with it; what holds the memory has another name. Look along the chain.",
    "wrong": "does not hold what grows.",
}


def task_card(task: str, file: Path, hints: int) -> str:
    """What to do, and the file to do it in."""
    where = f"<p>Your copy of the service: {_link(file)}. Change it, save it, then run the check.</p>"
    return _card(COOL, "Exercise", f"<p>{_safe(task)}</p>{where}<p>{_muted(f'There are {hints} hints.')}</p>")


def ticket_card(title: str, symptom: str, file: Path) -> str:
    """What an operator writes of a service, and where it is."""
    where = f"<p>The service: {_link(file)}, and how it is used: {_link(file.with_name('load.toml'))}.</p>"
    return _card(COOL, title, f"<p>{_safe(symptom)}</p>{where}")


def answer_card(name: str, verdict: str) -> str:
    """Whether ``name`` holds the memory: right, near or wrong."""
    colour = {"right": THIRD, "near": AMBER}.get(verdict, HOT)
    return _card(colour, verdict.capitalize(), f"<p><code>{_safe(name)}</code> {_ANSWERS[verdict]}</p>")


def grade_card(passed: bool, reason: str, lesson: str, explain: str, hints_left: int) -> str:
    """Passed, or why not and what there is to learn from it."""
    if passed:
        return _card(THIRD, "Passed", f"<p>{_safe(reason)}</p><p>{_safe(explain)}</p>")
    more = f"<p>{_safe(lesson)}</p>" if lesson else ""
    left = _muted(f"{hints_left} {'hint is' if hints_left == 1 else 'hints are'} left.") if hints_left > 0 else ""
    return _card(HOT, "Not yet", f"<p>{_safe(reason)}</p>{more}<p>{left}</p>")


def hints_card(hints: tuple[str, ...], of: int) -> str:
    """The hints so far, the last one last."""
    listed = "".join(f"<li>{_safe(text)}</li>" for text in hints)
    return _card(AMBER, f"Hint {len(hints)} of {of}", f"<ol>{listed}</ol>")


def reveal_card(changed: list[str], explain: str) -> str:
    """One cure, line by line, and why it is one."""
    lines = "\n".join(_difference(line) for line in changed)
    style = f"background: {CARD.css}; color: {INK.css}; padding: 8px; overflow-x: auto; border-radius: 6px"
    return _card(COOL, "One cure", f'<pre style="{style}">{lines}</pre><p>{_safe(explain)}</p>')


def note_card(text: str, file: Path) -> str:
    """One sentence and a file."""
    return _card(COOL, "Reset", f"<p>{_safe(text)} {_link(file)}</p>")


def progress_table(rows: list[tuple[str, str, bool, bool, int, int]]) -> str:
    """Lesson, exercise, passed, revealed, checks and hints of each."""
    words = ("lesson", "exercise", "", "checks", "hints")
    head = "".join(f'<th style="text-align: left; padding: 2px 12px 2px 0">{word}</th>' for word in words)
    body = "".join(
        f"<tr>{_cell(lesson)}{_cell(name)}{_cell(_done(passed, revealed))}{_cell(str(checks))}{_cell(str(hints))}</tr>"
        for lesson, name, passed, revealed, checks, hints in rows
    )
    return f'<table style="border-collapse: collapse">{head}{body}</table>'


def terminal_card(words: str, output: str, status: int) -> str:
    """A command, what it said, and how it ended."""
    style = f"background: {CARD.css}; color: {INK.css}; padding: 8px; overflow-x: auto; border-radius: 6px"
    ended = _muted(f"exit status {status}")
    return f'<pre style="{style}"><b>$ {escape(words)}</b>\n{escape(output)}</pre>{ended}'


def _done(passed: bool, revealed: bool) -> str:
    if passed:
        return "✓ passed" + (" (after the reveal)" if revealed else "")
    return "revealed" if revealed else "open"


def _cell(text: str) -> str:
    return f'<td style="text-align: left; padding: 2px 12px 2px 0">{_safe(text)}</td>'


def _difference(line: str) -> str:
    colour = {"+": THIRD, "-": HOT}.get(line[:1])
    safe = escape(line)
    return f'<span style="color: {colour.css}">{safe}</span>' if colour else safe


def _card(colour: Colour, heading: str, inner: str) -> str:
    return (
        f'<div style="border: 1px solid {RULE.css}; border-left: 6px solid {colour.css}; border-radius: 8px; '
        f'padding: 4px 16px; max-width: 52em"><div style="color: {colour.css}; font-weight: 600; margin-top: 6px">'
        f"{escape(heading)}</div>{inner}</div>"
    )


def _link(file: Path) -> str:
    """A link that JupyterLab opens in its editor, relative to the notebook; without one where that is no way to it."""
    if not file.is_relative_to(Path.cwd()):
        return f"<code>{_safe(str(file))}</code>"
    path = file.relative_to(Path.cwd()).as_posix()
    return f'<a href="{escape(quote(path))}"><code>{_safe(path)}</code></a>'


def _muted(text: str) -> str:
    return f'<span style="color: {MUTED.css}">{escape(text)}</span>'


def _safe(text: str) -> str:
    return escape(shown(text, _LONGEST_TEXT))
