"""Results as text: a table of one heap, what was answered, and how the times grow."""

from __future__ import annotations

from collections.abc import Sequence

from peers.results import Results

HEADINGS = ("", "wall s", "CPU s", "pause ms", "live +MB", "child MB", "objects", "B/object")
FIGURES = ("wall_s", "cpu_s", "pause_s", "extra_bytes", "child_bytes", "nodes", "file_bytes")
WIDTHS = (13, 36, 8, 8, 9, 9, 9, 12, 9)


def table(results: Results) -> str:
    """A row for each step of each contestant; a dash where there is nothing to say."""
    lines = [_row(["contestant", "step", *HEADINGS[1:]])]
    for name in results.runs:
        for place, step in enumerate(results.steps(name)):
            figure = {each: results.median(name, step, each) for each in FIGURES}
            if figure["wall_s"] is None:
                continue
            per_object = figure["file_bytes"] / results.nodes if figure["file_bytes"] is not None else None
            cells = [
                number(figure["wall_s"], 1, 2),
                number(figure["cpu_s"], 1, 2),
                number(figure["pause_s"], 1e3, 1),
                number(figure["extra_bytes"], 1e-6, 0),
                number(figure["child_bytes"], 1e-6, 0),
                number(figure["nodes"], 1, 0),
                number(per_object, 1, 1),
            ]
            lines.append(_row(["" if place else name, step, *cells]))
        if name in results.problems:
            lines.append(f"{name:<{WIDTHS[0]}} {results.problems[name]}")
    lines += [
        f"{name:<{WIDTHS[0]}} {problem}" for name, problem in results.problems.items() if name not in results.runs
    ]
    return "\n".join(lines)


def answers(results: Results) -> str:
    """What the contestants found, in their own words."""
    found = [(name, step, results.said(name, step)) for name in results.runs for step in results.steps(name)]
    return "\n".join(f"{name}, {step}: {said[:300]}" for name, step, said in found if said)


def scaling(every: Sequence[Results]) -> str:
    """Seconds per million objects of each contestant's steps, one column for each size of heap."""
    rows = list(dict.fromkeys((name, step) for each in every for name in each.runs for step in each.steps(name)))
    lines = [_row(["contestant", "step", *(f"{each.nodes / 1e6:.1f} M" for each in every)])]
    for name, step in rows:
        taken = [each.median(name, step, "wall_s") for each in every]
        cells = [
            number(None if one is None else one / each.nodes, 1e6, 2) for one, each in zip(taken, every, strict=True)
        ]
        if set(cells) != {"-"}:
            lines.append(_row([name, step, *cells]))
    return "\n".join(lines)


def number(value: float | None, factor: float, digits: int) -> str:
    """A figure, or a dash."""
    return "-" if value is None else f"{value * factor:,.{digits}f}"


def _row(cells: Sequence[str]) -> str:
    left, right = cells[:2], cells[2:]
    texts = [f"{cell:<{width}}" for cell, width in zip(left, WIDTHS, strict=False)]
    texts += [f"{cell:>{width}}" for cell, width in zip(right, WIDTHS[2:], strict=False)]
    return " ".join(texts).rstrip()
