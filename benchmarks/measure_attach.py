"""How long processes stand still while the agent is put into them by ``labkit attach``, and whether they go on.

    .venv/bin/python benchmarks/measure_attach.py [--processes 20]

Each process is a new one, with three threads that allocate and free without a pause, in C and in Python. Its state is
looked at every millisecond from outside: it stands still while that is "t", tracing stop (proc_pid_stat(5)).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from labkit.drive.attach import attach, candidate
from labkit.errors import CannotAttach

BUSY = """
import ctypes, threading
free, malloc = ctypes.CDLL(None).free, ctypes.CDLL(None).malloc
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def hammer():
    while True:
        for block in [malloc(size) for size in range(1, 4000, 7)]:
            free(block)
for _ in range(3):
    threading.Thread(target=hammer, daemon=True).start()
while True:
    [bytes(size) for size in range(0, 4000, 7)]
"""


def stopped_ms(pid: int, enough: threading.Event) -> float:
    """Milliseconds in tracing stop, until ``enough``."""
    stopped_s, last = 0.0, time.perf_counter()
    with Path(f"/proc/{pid}/stat").open() as stream:
        while not enough.wait(0.001):
            stream.seek(0)
            state = stream.read().rpartition(") ")[2][:1]
            now = time.perf_counter()
            stopped_s += now - last if state == "t" else 0
            last = now
    return 1000 * stopped_s


def main() -> None:
    """Print one line for each process, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=20)
    options = parser.parse_args()
    pauses, well = [], 0
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["LABKIT_AGENT_DIR"] = f"{temporary}/agents"
        for number in range(1, options.processes + 1):
            process = subprocess.Popen([sys.executable, "-c", BUSY])
            time.sleep(0.3)
            enough, found = threading.Event(), []
            watch = threading.Thread(target=lambda pid=process.pid, e=enough, f=found: f.append(stopped_ms(pid, e)))
            watch.start()
            try:
                attached = attach(candidate(process.pid), 30)
                shutil.rmtree(attached.folder)
                is_well = attached.worker is not None and process.poll() is None
            except CannotAttach as error:
                print(error)
                is_well = False
            enough.set()
            watch.join()
            process.kill()
            process.wait()
            well += is_well
            pauses += found
            print(f"{number:>4}  stood still {found[0]:>7.0f} ms  {'goes on, with an agent' if is_well else 'FAILED'}")
    print(f"{well} of {options.processes} well; stood still {np.median(pauses):.0f} ms, at most {max(pauses):.0f}")


if __name__ == "__main__":
    main()
