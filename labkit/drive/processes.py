"""Ending processes so that none is left, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import psutil

_POLL_S = 0.02


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended. It is not reaped: its number must stay taken while its group may live."""
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def how_ended(process: subprocess.Popen[bytes]) -> str:
    """``killed by SIGKILL`` or ``exit status 3`` of a process that has ended and is not reaped."""
    try:
        end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        end = None
    if end is None:
        return "it runs"
    if end.si_code == os.CLD_EXITED:
        return f"exit status {end.si_status}"
    return f"killed by {signal.Signals(end.si_status).name}"


def end_group(process: subprocess.Popen[bytes], grace_s: float = 2.0) -> None:
    """End a session leader and all it started: asked first, killed after ``grace_s`` or when interrupted."""
    strays: list[psutil.Process] = []
    try:
        with contextlib.suppress(psutil.Error):
            strays = psutil.Process(process.pid).children(recursive=True)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: has_ended(process), grace_s)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stray in strays:  # those that left the group; psutil knows a reused number
            with contextlib.suppress(psutil.Error):
                stray.kill()
        wait_until(lambda: not any(is_alive(stray) for stray in strays), grace_s)


def end_children_with(argument: str) -> None:
    """End our children whose command line has ``argument``: those an interruption kept us from noting."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if argument in child.cmdline():
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(5)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextlib.contextmanager
def termination_unwinds() -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP raise SystemExit, so that everything is cleaned up.

    Only in the main thread, and only where nobody else has set a handler.
    """
    changed: list[signal.Signals] = []
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, _leave)
                    changed.append(number)
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def wait_until(condition: Callable[[], bool], limit_s: float) -> None:
    """Wait until ``condition()``, but no longer than this."""
    give_up = time.monotonic() + limit_s
    while not condition() and time.monotonic() < give_up:
        time.sleep(_POLL_S)
