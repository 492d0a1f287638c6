"""The answer for a terminal: 80 columns, plain ASCII marks, colour only where a person looks."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from typing import TextIO

from labkit.findings.model import Findings, Suspect, Verdict
from labkit.views.chain import chain_text
from labkit.views.names import ELLIPSIS, prose, shown
from labkit.views.opinions import opinion_rows
from labkit.views.units import bytes_text, number, rate_shown
from labkit.views.wording import (
    VALUES_WARNING,
    answer,
    cost_rows,
    explained_heading,
    explained_kind_text,
    headline,
    interval_text,
    kind_text,
    ledger_rows,
    projection,
    retained_text,
    sites_text,
    statuses_text,
    target_text,
    verdict_text,
    worker_count,
)

WIDTH = 80
LABEL_WIDTH = 14
MOST_HOLDERS = 5
MOST_CHAIN_STEPS = 12
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_VERDICT_STYLES: dict[Verdict, str] = {
    "suspect": "\x1b[1;31m",
    "clean": "\x1b[1;32m",
    "inconclusive": "\x1b[1;33m",
}
Paint = Callable[[str, str], str]


def wants_colour(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal whose owner has not asked for plain text (NO_COLOR, TERM=dumb)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def render_text(findings: Findings, *, colour: bool = False) -> str:
    """The whole answer, verdict first, at most 80 columns wide, ending in a newline.

    Printable whatever the names are; a stream that is not UTF-8 may still need ``backslashreplace``.
    """
    paint = _painted if colour else _plain
    blocks = [_values(findings), _opening(findings, paint), _notes(findings)]
    if findings.verdict == "inconclusive":
        blocks.append(_missing(findings, paint))
    workers = worker_count(findings)
    blocks += [_suspect(suspect, workers, paint) for suspect in findings.suspects]
    blocks.append(_explained(findings, paint))
    if findings.verdict != "inconclusive":
        blocks.append(_missing(findings, paint))
    blocks.append(_opinions(findings, paint))
    blocks.append(_memory(findings, paint))
    blocks.append(_cost(findings, paint))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _painted(text: str, style: str) -> str:
    return f"{style}{text}{_RESET}"


def _plain(text: str, style: str) -> str:
    del style
    return text


def _ascii(text: str) -> str:
    """Our own marks in ASCII: a terminal or a log may know no other."""
    return text.replace(ELLIPSIS, "...").replace("−", "-")


def _wrapped(text: str, indent: int = 0, hang: int | None = None) -> list[str]:
    """Lines within 80 columns, the first indented by ``indent``, the others by ``hang``."""
    return textwrap.wrap(
        _ascii(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hang is None else hang),
        break_on_hyphens=False,
    )


def _fact(label: str, text: str, paint: Paint) -> list[str]:
    """``label`` and its text, hanging; the label dimmed."""
    start = "  " + label.ljust(LABEL_WIDTH)
    lines = _wrapped(text, len(start))
    if not lines:
        return [paint(start.rstrip(), _DIM)]
    return [paint(start, _DIM) + lines[0][len(start) :], *lines[1:]]


def _heading(text: str, paint: Paint) -> str:
    return paint(_ascii(text), _BOLD)


def _opening(findings: Findings, paint: Paint) -> list[str]:
    """The verdict, the headline, and the answer in two sentences."""
    verdict = verdict_text(findings).upper()
    style = _VERDICT_STYLES[findings.verdict]
    lines = [f"{paint(verdict, style)}  {_ascii(shown(target_text(findings), WIDTH - len(verdict) - 6))}"]
    lines += [paint(line, _BOLD) for line in _wrapped(headline(findings))]
    lines.append("")
    for sentence in answer(findings):
        lines += _wrapped(sentence)
    return lines


def _values(findings: Findings) -> list[str]:
    """First of all: whether what lies beside this text may be passed on."""
    return _wrapped(VALUES_WARNING) if findings.holds_values else []


def _notes(findings: Findings) -> list[str]:
    """What has to be known before the figures are believed."""
    return [line for note in findings.notes for line in _wrapped(f"Note: {prose(note)}", 0, 6)]


def _suspect(suspect: Suspect, workers: int, paint: Paint) -> list[str]:
    """One suspect with all its evidence."""
    grows = suspect.grows
    first, *others = _wrapped(f"{suspect.rank}. {shown(suspect.retainer)}", 0, 3)
    lines = [_heading(line, paint) for line in (first, *others)]
    lines += _fact("kind", kind_text(suspect.kind), paint)
    if suspect.kind == "native":
        lines += _fact("held by", "C code: no Python object stands for it", paint)
    else:
        lines += _fact("held by", "", paint)
        lines += _chain(suspect)
    lines += _fact("grows", shown(grows.type), paint)
    times, per = rate_shown(grows.per)
    lines += _fact(per, f"{number(grows.objects_per_request * times)} objects", paint)
    lines += _fact("", f"{bytes_text(grows.bytes_per_request * times)} ({interval_text(suspect)})", paint)
    lines += _fact("", projection(suspect), paint)
    if suspect.retained_size_bytes is not None:
        lines += _fact("retained now", retained_text(suspect, workers), paint)
    lines += _fact("allocated at", sites_text(suspect), paint)
    lines += _fact("why", prose(suspect.why), paint)
    if suspect.also_held_by:
        lines += _fact("also held by", _holders(suspect), paint)
    return lines


def _holders(suspect: Suspect) -> str:
    """The other holders, the first few by name."""
    named = [shown(holder) for holder in suspect.also_held_by[:MOST_HOLDERS]]
    more = len(suspect.also_held_by) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _chain(suspect: Suspect) -> list[str]:
    """The retaining chain as indented lines; a line too long wraps under itself."""
    lines = []
    for line in chain_text(suspect, limit=MOST_CHAIN_STEPS).splitlines():
        indent = 4 + len(line) - len(line.lstrip())
        lines += _wrapped(line.strip(), indent, indent + 4)
    return lines


def _explained(findings: Findings, paint: Paint) -> list[str]:
    """Growth that is no suspect; of a single snapshot, what is large."""
    if not findings.explained:
        return []
    lines = [_heading(explained_heading(findings)[0], paint)]
    for item in findings.explained:
        lines += _wrapped(f"- {explained_kind_text(item.kind)}, {bytes_text(item.bytes)}: {prose(item.why)}", 2, 4)
    return lines


def _missing(findings: Findings, paint: Paint) -> list[str]:
    """What would settle an open question."""
    if not findings.missing:
        return []
    lines = [_heading("What is missing", paint)]
    for text in findings.missing:
        lines += _wrapped(f"- {prose(text)}", 2, 4)
    return lines


def _opinions(findings: Findings, paint: Paint) -> list[str]:
    """What other tools recorded, and why they may say something else."""
    if not findings.second_opinions:
        return []
    lines = [_heading("What other tools saw", paint)]
    for row in opinion_rows(findings):
        lines += _fact(row.tool, f"{row.saw} ({row.window})" if row.window else row.saw, paint)
        for line in (row.verdict, f"Cost: {row.cost}." if row.cost else "", f"Files: {row.files}" if row.files else ""):
            lines += _fact("", line, paint) if line else []
    return lines


def _memory(findings: Findings, paint: Paint) -> list[str]:
    """The ledger, when any of it was measured."""
    rows = ledger_rows(findings.ledger, findings.unit)
    if not rows:
        return []
    width = max(len(name) for name, _, _ in rows) + 2
    moment = "in this snapshot" if findings.basis == "snapshot" else "at the last snapshot"
    return [
        _heading(f"Where the memory is, {moment}", paint),
        *(
            f"  {name.ljust(width)}{_ascii(bytes_text(amount)):>12}{'   ' * bool(grows)}{_ascii(grows)}"
            for name, amount, grows in rows
        ),
    ]


def _cost(findings: Findings, paint: Paint) -> list[str]:
    """What the capture cost the worker, and what it answered."""
    lines = [_heading("What the capture cost the worker", paint)]
    for label, text in cost_rows(findings):
        lines += _fact(label, text, paint)
    if len(lines) == 1:
        lines.append("  not measured")
    if findings.provenance.statuses:
        lines += _fact(
            "answers", f"{statuses_text(findings.provenance.statuses)} (of all requests played, measured or not)", paint
        )
    return lines
