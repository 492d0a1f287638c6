"""Run a command with a deadline and a limit on its memory; whatever comes of it is told in words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL_S = 0.1


@dataclass(frozen=True)
class Limits:
    """For one contestant with all its children."""

    deadline_s: float
    memory_bytes: int


def run(command: Sequence[str | Path], environment: Mapping[str, str], limits: Limits) -> tuple[str, str]:
    """What the command printed, and why it is not to be used; one of the two is empty.

    It runs in a process group of its own, which is gone afterwards.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors, start_new_session=True)
        try:
            stopped = _watch(process, limits)
        finally:
            _end(process)
        output.seek(0)
        errors.seek(0)
        if stopped or process.returncode:
            said = [line for line in errors.read().splitlines() if line.strip()]
            return "", stopped or f"failed: {said[-1] if said else f'exit status {process.returncode}'}"
        return output.read(), ""


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> str:
    give_up = time.monotonic() + limits.deadline_s
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        if time.monotonic() > give_up:
            return f"over {limits.deadline_s:g} s"
        if _memory_bytes(watched) > limits.memory_bytes:
            return f"over {limits.memory_bytes / 1e9:.1f} GB"
        time.sleep(_POLL_S)
    return ""


def _memory_bytes(process: psutil.Process) -> int:
    """Shared pages of a forked child count twice: a guard may ring early."""
    try:
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
