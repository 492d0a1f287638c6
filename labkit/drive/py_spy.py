"""py-spy, from outside: where every thread of a worker stands now, and where its time goes for a while.

It stops the process for a moment at each look (5 to 14 ms for a dump), needs no agent, and measures no memory.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from labkit.drive.memray_file import function_name

AGENT = "_labkit_agent/"
RATE_HZ = 100
LIMIT_S = 30
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)")


def program() -> str:
    """Where py-spy is: beside the interpreter, or on the path; ValueError when nowhere."""
    beside = Path(sys.executable).with_name("py-spy")
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        raise ValueError("py-spy is not installed; try: pip install py-spy")
    return found


def stacks(pid: int) -> dict[str, Any]:
    """Where each thread stands: rows ``[1, [[function, file, line], ...]]``, innermost frame first.

    Raises ValueError with py-spy's words, when the kernel does not let it look, say.
    """
    try:
        done = subprocess.run(
            [program(), "dump", "--json", "--pid", str(pid)], capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"py-spy looked for more than {LIMIT_S} s") from None
    if done.returncode != 0:
        raise ValueError(_words(done.stderr))
    rows = [
        [1, [[function_name(frame["name"]), frame["short_filename"], frame["line"]] for frame in thread["frames"]]]
        for thread in json.loads(done.stdout)
    ]
    return {"tool": "py-spy", "rows": rows}


class Profile:
    """A profile at ``RATE_HZ`` that runs until ``end``; ``raw`` is py-spy's own file, stacks and how often seen."""

    def __init__(self, pid: int, raw: Path) -> None:
        self._raw = raw
        options = ["--rate", str(RATE_HZ), "--format", "raw", "--output", str(raw), "--pid", str(pid)]
        self._process = subprocess.Popen(
            [program(), "record", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for us to pass on
        )

    def end(self) -> dict[str, Any]:
        """``rows``: ``[samples, [[function, file, line], ...]]``, most samples first; ValueError as in ``stacks``."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            _, said = self._process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise ValueError(f"py-spy did not end within {LIMIT_S} s") from None
        if not self._raw.exists():
            raise ValueError(_words(said))
        lines = self._raw.read_text(encoding="utf-8", errors="replace").splitlines()
        rows = [_row(line) for line in lines]
        ours = [row for row in rows if not row[1][0][1].startswith(AGENT)]
        return {"tool": "py-spy", "rate_hz": RATE_HZ, "rows": sorted(ours, key=lambda row: -row[0])}


def _row(line: str) -> tuple[int, list[tuple[str, str, int]]]:
    names, _, count = line.rpartition(" ")
    return int(count), [_frame(name) for name in reversed(names.split(";"))]


def _frame(text: str) -> tuple[str, str, int]:
    found = _FRAME.fullmatch(text)
    if found is None:
        return "?", "?", 0
    return function_name(found["function"]), found["file"], int(found["line"] or 0)


def _words(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else "py-spy said nothing"
