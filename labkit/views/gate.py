"""The words of a check and of a comparison: few lines, for the log of a build."""

from __future__ import annotations

import textwrap

from labkit.findings.compare import Change, Comparison, Side
from labkit.findings.limits import COUNTED_KINDS, Checked
from labkit.findings.model import Suspect
from labkit.views.chain import chain_text
from labkit.views.names import ELLIPSIS, prose, shown
from labkit.views.units import bytes_text, count_text, number, plural, rate_shown
from labkit.views.wording import counts_things, interval_text, rate_headline, sites_text, target_text, thing

WIDTH = 100
MOST_CHAIN_STEPS = 12
_VERDICTS = {
    "clean": "nothing grows, before or after",
    "fixed": "fixed",
    "better": "better, and not gone",
    "same": "the same as before, within what was measured",
    "worse": "worse",
    "unknown": "cannot say",
}


def check_text(checked: Checked) -> str:
    """One line where all is well; a paragraph for each suspect over its limit, with the path that holds it."""
    findings = checked.findings
    target = target_text(findings)
    played = f"in {plural(findings.provenance.requests_total, 'request')}"
    blocks = [_paragraph(suspect, checked) for suspect in checked.over]
    if checked.over and "confirmation" in findings.wanted:
        blocks.append(
            _wrapped(
                f"Watched for {count_text(findings.provenance.requests_total)} requests: a cache whose bound lies"
                " beyond them would look the same. A longer run tells: --budget 60, or budget=60."
            )
        )
    blocks += [_paragraph(suspect, checked) for suspect in checked.between]
    if checked.is_open:
        missing = list(findings.missing)
        if checked.between:
            missing.insert(0, "more requests: a rate is not known well enough to say which side of its limit it is on")
        lines = [_wrapped(f"- {prose(text)}", 2, 4) for text in missing or ["nothing says what"]]
        blocks.append("\n".join([f"{target}: inconclusive, {played}; missing is", *lines]))
    elif not checked.over:
        what = "nothing else keeps growing" if checked.within else "nothing keeps growing"
        blocks.append(f"{target}: {what}, {played}")
    within = [f"within the limit: {_headline(suspect)}{_limit(suspect, checked)}" for suspect in checked.within]
    return _ascii("\n\n".join([*within, *blocks] if not checked.over else [*blocks, *within]))


def _paragraph(suspect: Suspect, checked: Checked) -> str:
    lines = [f"{_headline(suspect)}{_limit(suspect, checked)}"]
    if suspect.retaining_path:
        lines += ["", *(f"  {line}" for line in chain_text(suspect, limit=MOST_CHAIN_STEPS).splitlines())]
    if suspect.allocation_site is not None:
        lines.append(f"  allocated at {sites_text(suspect)}")
    return "\n".join([*lines, _wrapped(prose(suspect.why), 2)])


def _headline(suspect: Suspect) -> str:
    """Who keeps how much, with the interval where there is one."""
    return rate_headline(suspect) if counts_things(suspect) else f"{rate_headline(suspect)} ({interval_text(suspect)})"


def _limit(suspect: Suspect, checked: Checked) -> str:
    limit = checked.limits.of(suspect)
    if not limit:
        return ""
    words = number(limit) if suspect.kind in COUNTED_KINDS else bytes_text(limit)
    return (
        f"; its interval has the limit of {words} inside" if suspect in checked.between else f"; the limit is {words}"
    )


def comparison_text(comparison: Comparison) -> str:
    """What differed in the measuring, then the verdict, then some lines for each suspect."""
    blocks = []
    if comparison.differences:
        lines = [_wrapped(f"- {prose(text)}", 2, 4) for text in comparison.differences]
        blocks.append("\n".join(["The two were not measured alike:", *lines]))
    names = f"{shown(comparison.before, 50)} -> {shown(comparison.after, 50)}"
    verdict = f"{_VERDICTS[comparison.verdict]}: {names}"
    blocks.append("\n".join([verdict, *(_wrapped(prose(line), 2) for line in comparison.why)]))
    blocks += ["\n".join(_change(change)) for change in comparison.changes]
    return _ascii("\n\n".join(blocks))


def _change(change: Change) -> list[str]:
    word = "cannot say" if change.outcome == "unknown" else change.outcome
    lines = [f"{word}: {shown(change.retainer, 80)}", _wrapped(prose(change.why), 2)]
    for when, side in (("before", change.before), ("after", change.after)):
        lines += [f"  {when:<7} {_rate(side)}"] if side else []
    return lines


def _rate(side: Side) -> str:
    suspect = Suspect(rank=0, kind=side.kind, retainer="", retaining_path=[], grows=side.grows, why="")
    times, per = rate_shown(side.grows.per)
    objects = number(side.grows.objects_per_request * times)
    if counts_things(suspect):
        return f"{objects} {thing(suspect)} {per}"
    size = bytes_text(side.grows.bytes_per_request * times)
    return f"{size} {per} ({interval_text(suspect)}), {objects} {shown(side.grows.type, 60)}"


def _wrapped(text: str, indent: int = 0, hang: int | None = None) -> str:
    later = " " * (indent if hang is None else hang)
    lines = textwrap.TextWrapper(WIDTH, " " * indent, later, break_long_words=False, break_on_hyphens=False)
    return lines.fill(text)


def _ascii(text: str) -> str:
    """Our own marks in ASCII: a log may know no other."""
    return text.replace(ELLIPSIS, "...").replace("−", "-")
