"""memray's recording, made small enough to share: what was allocated in its window and still there at its end."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import memray

from labkit.agent.labels import NAME_PARTS
from labkit.agent.sites import short_path

MOST_STACKS = 2000
MOST_FRAMES = 25
PICTURE_LIMIT_S = 120
_AGENT = "_labkit_agent"
_SMALL = frozenset(one for one in memray.AllocatorType if one.name.startswith("PYMALLOC"))
VERSION = version("memray")

#: The frames, innermost first, and whether Python's own allocator was asked.
Stack = tuple[tuple[tuple[str, str, int], ...], bool]


def summary(raw: Path, here: str) -> dict[str, Any]:
    """``rows``: ``[bytes, allocations, [[function, file, line], ...], is_small]``, innermost frame first.

    ``is_small``: handed out by Python's own allocator, where memray was told to look at each of those.

    ``here`` is the worker's current folder, left out of its files' paths. With native stacks the frames of C code
    are among them, by the name of their function. Raises ValueError when it cannot be read: another memray's file, say.
    """
    totals: Counter[Stack] = Counter()
    counts: Counter[Stack] = Counter()
    try:
        with memray.FileReader(raw) as reader:
            native = bool(reader.metadata.has_native_traces)
            for record in reader.get_leaked_allocation_records(merge_threads=True):
                stack = record.hybrid_stack_trace() if native else record.stack_trace()
                frames = tuple(_frame(frame, here) for frame in stack if _AGENT not in frame[1])[:MOST_FRAMES]
                totals[frames, record.allocator in _SMALL] += record.size
                counts[frames, record.allocator in _SMALL] += record.n_allocations
            facts = {
                "allocations": int(reader.metadata.total_allocations),
                "peak_bytes": int(reader.metadata.peak_memory),
                "native": native,
            }
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"memray {VERSION} cannot read it: {error}") from None
    rows = [(total, counts[stack], stack[0], stack[1]) for stack, total in totals.items()]
    rows.sort(key=lambda row: (-row[0], row[2]))
    rest = rows[MOST_STACKS:]
    return {
        "tool": "memray",
        "version": VERSION,
        **facts,
        "rows": rows[:MOST_STACKS],
        "left_out": len(rest),
        "left_out_bytes": sum(row[0] for row in rest),
    }


def draw(raw: Path, picture: Path) -> None:
    """memray's own flame graph of what was still there: one page that needs no network, and shows no source lines.

    Raises ValueError with memray's words when it cannot be drawn.
    """
    command = [sys.executable, "-m", "memray", "flamegraph", "--leaks", "--no-web", "--confidential-files", "all"]
    try:
        done = subprocess.run(
            [*command, "--force", "-o", str(picture), str(raw)],
            capture_output=True,
            text=True,
            timeout=PICTURE_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"memray drew for more than {PICTURE_LIMIT_S} s") from None
    if done.returncode != 0:
        raise ValueError((done.stderr or done.stdout).strip().splitlines()[-1])


def _frame(frame: tuple[str, str, int], here: str) -> tuple[str, str, int]:
    function, file, line = frame
    path: str = short_path(file, here)  # type: ignore[no-untyped-call]
    return function_name(function), path, max(int(line), 0)


def function_name(name: str) -> str:
    """A function's name as it may be shown: a plain word, or one of the interpreter's own in angle brackets."""
    return name if name.replace(".", "_").isidentifier() or name in NAME_PARTS else name.partition("(")[0][:80] or "?"
