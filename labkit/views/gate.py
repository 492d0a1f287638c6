"""The words of a check and of a comparison: few lines, for the log of a build."""

from __future__ import annotations

from labkit.findings.compare import Comparison
from labkit.findings.limits import Checked
from labkit.findings.model import Growth, Suspect
from labkit.views.chain import chain_text
from labkit.views.names import prose, shown
from labkit.views.units import bytes_range, bytes_text, number

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
    target = shown(findings.target, 60)
    blocks = [_paragraph(suspect) for suspect in checked.over]
    if checked.is_open:
        lines = [f"{target}: inconclusive; missing is", *(f"  - {prose(text)}" for text in findings.missing)]
        blocks.append("\n".join(lines))
    elif not checked.over:
        blocks.append(f"{target}: nothing keeps growing, in {findings.provenance.requests_total:,} requests")
    blocks += [f"within the limit: {_line(suspect)}" for suspect in checked.within]
    return _ascii("\n\n".join(blocks))


def _paragraph(suspect: Suspect) -> str:
    lines = [_line(suspect), ""]
    if suspect.retaining_path:
        lines += [f"  {line}" for line in chain_text(suspect, limit=12).splitlines()]
    site = suspect.allocation_site
    if site is not None:
        lines.append(f"  allocated in {shown(site.file, 60)}, line {site.line}, {shown(site.function, 40)}")
    return "\n".join([*lines, f"  {prose(suspect.why)}"])


def _line(suspect: Suspect) -> str:
    return f"{shown(suspect.retainer, 80)} keeps {_rate(suspect.grows)}"


def _rate(grows: Growth) -> str:
    if not grows.bytes_per_request:
        return f"{number(grows.objects_per_request)} {grows.type} per {grows.per}"
    low, high = grows.interval95
    interval = f"95 % interval {bytes_range(low, high)}"
    return f"{bytes_text(grows.bytes_per_request)} per {grows.per} ({interval})"


def comparison_text(comparison: Comparison) -> str:
    """The verdict, then what differed in the measuring, then a line or two for each suspect."""
    lines = [f"{_VERDICTS[comparison.verdict]}: {shown(comparison.before, 50)} -> {shown(comparison.after, 50)}"]
    if comparison.differences:
        lines += ["", "The two were not measured alike:", *(f"  - {prose(text)}" for text in comparison.differences)]
    for change in comparison.changes:
        lines += ["", f"{change.outcome}: {shown(change.retainer, 80)}", f"  {prose(change.why)}"]
        lines += [f"  before  {_rate(change.before)}"] if change.before else []
        lines += [f"  after   {_rate(change.after)}"] if change.after else []
    return _ascii("\n".join(lines))


def _ascii(text: str) -> str:
    return text.replace("…", "...").replace("−", "-")
