"""A child that really crashes, or could wait for ever, is an error with a name; the worker goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from agent_targets import LOADED, Target

#: A list whose items lie at an address nobody may read: whoever follows it is ended by SIGSEGV.
CORRUPT = """
import ctypes, gc, os, resource
resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
gc.disable()                      # the worker's own collector would follow it, too
broken = [1, 2, 3]
items = ctypes.c_size_t.from_address(id(broken) + 24)
kept, items.value = items.value, 16
try:
    take("x.heap")
except RuntimeError as error:
    print(error)
print(os.listdir("."))
items.value = kept
take("x.heap")
print("the worker goes on")
"""
SEGFAULT = "the child was ended by signal 11 (SIGSEGV) while it walked"


def test_a_segfault_in_the_plain_walk_leaves_the_worker_unharmed(target: Target) -> None:
    said = target.run(CORRUPT).stdout.splitlines()
    assert said == [SEGFAULT, "['target.py']", "the worker goes on"]
    assert target.picture().snapshot.header["walker"] == "python"


def test_a_segfault_in_the_compiled_walk_leaves_the_worker_unharmed(target: Target, walker: Path) -> None:
    said = target.run(LOADED.format(walker=str(walker)) + CORRUPT).stdout.splitlines()
    assert said == [f"{SEGFAULT}; the compiled walker before it: {SEGFAULT}", "['target.py']", "the worker goes on"]
    assert target.picture().snapshot.header["walker"] == "c"


#: Handlers that hold the worker for ever if they run, as OpenBLAS's may.
HANDLERS = """
import ctypes, os, time
HANDLER = ctypes.CFUNCTYPE(None)
never = HANDLER(lambda: os._exit(7))
said = ctypes.CDLL(None).__register_atfork(never, never, never, None)
assert said == 0
"""


@pytest.mark.parametrize("way", ["as it is", "by the system call"])
def test_no_handler_of_the_c_librarys_fork_runs(target: Target, way: str) -> None:
    """A C library before _Fork is stood in for by the system call; the machine's own decides otherwise."""
    older = """
from _labkit_agent import fork as _of_agent
class OlderLibrary:
    syscall = _of_agent._interpreter.syscall
_of_agent._fork = _of_agent._bare_fork(OlderLibrary, os.uname().machine)
"""
    target.run(HANDLERS + (older if way == "by the system call" else "") + 'take("x.heap")\n')
    assert target.picture().snapshot.header["walker"] == "python"


def test_those_handlers_do_run_in_an_ordinary_fork(target: Target) -> None:
    assert target.run(HANDLERS + "os.fork()\n", check=False).returncode == 7


def test_where_no_bare_fork_is_known_the_capture_is_refused(target: Target) -> None:
    done = target.run(
        """
        import os
        from _labkit_agent import fork as of_agent
        class OlderLibrary:
            pass
        of_agent._fork = of_agent._bare_fork(OlderLibrary, "riscv64")
        try:
            take("x.heap")
        except RuntimeError as error:
            print(error)
        print(os.listdir("."))
        """
    )
    refusal, left = done.stdout.splitlines()
    assert refusal.startswith("the C library has no _Fork, and its clone on ")
    assert left == "['target.py']"


def test_captures_beside_busy_threads_of_numpy(target: Target) -> None:
    """Before, the worker itself hung here, in OpenBLAS's handler, in each of five runs."""
    done = target.run(
        """
        import numpy, os, threading
        matrix = numpy.random.rand(300, 300)
        def multiply():
            while True:
                matrix @ matrix
        for _ in range(2):
            threading.Thread(target=multiply, daemon=True).start()
        for number in range(3):
            take("x.heap")
            print(number, flush=True)
        os._exit(0)
        """
    )
    assert done.stdout.split() == ["0", "1", "2"]
