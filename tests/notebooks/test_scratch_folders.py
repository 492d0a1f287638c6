"""What a killed kernel leaves behind goes with the next one; what a living one uses stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MAKES_ONE = "from labkit.notebook.running import scratch; print(scratch(), flush=True); import time; time.sleep({s})"


def _kernel(folder: Path, seconds: float) -> tuple[subprocess.Popen[str], Path]:
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", MAKES_ONE.format(s=seconds)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    made = Path(process.stdout.readline().strip())
    return process, made


def _age(folder: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))


def test_a_killed_kernels_folder_goes_with_the_next_and_a_living_ones_stays(tmp_path: Path) -> None:
    killed, left = _kernel(tmp_path, 60)
    living, used = _kernel(tmp_path, 60)
    _age(left)
    _age(used)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left.exists()
    other, own = _kernel(tmp_path, 0)
    other.communicate()
    assert not left.exists()
    assert used.exists()
    assert not own.exists()
    living.terminate()
    living.communicate()
