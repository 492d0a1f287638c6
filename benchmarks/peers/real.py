"""The heap of a process that has imported a lot: what a snapshot of it takes on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from peers.steps import Steps


def real_heap(steps: Steps, folder: Path, walker: str) -> None:
    """pandas, matplotlib, Falcon and what they bring, captured by the compiled walker, then packed."""
    import falcon
    import matplotlib.pyplot
    import pandas

    from labkit.agent import compiled, snapshot

    assert all((falcon, matplotlib, pandas))
    if refused := compiled.load(walker):
        raise RuntimeError(refused)
    path = folder / "real.heap"
    with steps.step("real heap") as found:
        cost = snapshot.take(str(path), 600)
        found |= {"nodes": cost["nodes"], "plain_file_bytes": path.stat().st_size}
    subprocess.run([sys.executable, "-m", "peers.files", "pack", path], check=True, capture_output=True)
    steps.note("real heap", file_bytes=path.stat().st_size)
