"""labkit beside the other tools for Python heaps, on the same heaps, in one run.

    .venv/bin/python benchmarks/compare_peers.py
    .venv/bin/python benchmarks/compare_peers.py --objects 300000 1000000 --only labkit guppy3 --repeat 1
    .venv/bin/python benchmarks/compare_peers.py --pyheap ../pyheap

Every contestant runs in a process of its own that has built the same heap (its shape: ``peers/heap.py``); they take
turns, ``--repeat`` times. What a row means: ``wall s`` and ``CPU s`` (children included) of a step, medians over the
runs; ``pause ms``: how long the process that holds the heap stood still, all of it but for labkit; ``live +MB``: by
how much the peak of its resident memory exceeded what it had before; ``child MB``: private memory of labkit's forked
child, or the resident peak of a process that reads a file; ``B/object``: bytes on disk per object.

The contestants:

* labkit with its compiled walker, and with the plain one: a capture into a file. Of the compiled one also a fresh
  process that opens the file and names the 20 largest holders with their paths, and the packing of the file.
* guppy3, objgraph and pympler, in the process; guppy3 and objgraph are also asked about one known object.
* PyHeap, if a checkout is given: it is not on PyPI. It gets no more than --pyheap-up-to objects.
* memlab, on the heap labkit exports; rustworkx and igraph, on labkit's references, beside labkit's own dominators.
* pause: labkit's beside a bare fork of the same process, in turns, and the pages its child copies (``peers/pause.py``).
* real-heap: what the snapshot of a process with many libraries takes on disk.

The others come from PyPI and npm, at fixed versions, into throwaway folders. One that fails or takes longer than
--deadline, heap included, or more memory than --memory-gb, says so and the others go on. The last table has the ratios
that are wanted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from peers.contest import CONTESTANTS
from peers.install import environment, memlab_for, python_for
from peers.results import Results
from peers.run import Limits, run
from peers.steps import read_steps
from peers.tables import answers, scaling, table
from peers.wanted import wanted

from labkit.drive.build_walker import build_walker

LIVE = ("labkit", "labkit-plain", "pause", "guppy3", "objgraph", "pympler", "pyheap")
ON_FILES = ("labkit-graph", "igraph", "rustworkx", "memlab")
NAMES = (*LIVE, *ON_FILES, "real-heap")
OURS = ("labkit", "labkit-graph", "real-heap")  # these import what labkit brings
HERE = Path(__file__).resolve().parent


class Contest:
    """Runs contestants and files what they say."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.limits = Limits(options.deadline, int(options.memory_gb * 1e9))
        self.environment = environment(folder)
        self.left_out: dict[str, str] = {}
        self._prepare()

    def _prepare(self) -> None:
        only = set(self.options.only)
        walker, reason = build_walker(sys.executable)
        self.walker = str(walker or "")
        if walker is None:
            self.left_out |= dict.fromkeys(("labkit", "pause", "real-heap"), reason)
        if not self.options.pyheap:
            self.left_out["pyheap"] = "left out: no checkout given with --pyheap"
        try:
            self.python = python_for(only, self.folder / "peers")
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"The other tools could not be installed: {error.stderr.strip()}") from None
        self.memlab, reason = memlab_for(self.folder / "memlab") if "memlab" in only else (None, "")
        if reason:
            self.left_out["memlab"] = f"left out: {reason}"
        self.capturer = "labkit" if walker else "labkit-plain"

    def compare(self, objects: int) -> Results:
        """All contestants on one heap."""
        results = Results(objects)
        only = [name for name in NAMES if name in self.options.only]
        results.problems |= {name: self.left_out[name] for name in only if name in self.left_out}
        if objects > self.options.pyheap_up_to and "pyheap" in only:
            results.problems.setdefault("pyheap", f"left out: more than {self.options.pyheap_up_to:,} objects")
        for _ in range(self.options.repeat):
            for name in LIVE:
                if name in only:
                    self._ask(results, name, self._needs(name))
        self._compare_on_files(results, [name for name in ON_FILES if name in only])
        return results

    def real_heap(self) -> Results:
        """The one heap that is not built here."""
        results = Results(0)
        if "real-heap" in self.options.only:
            self._ask(results, "real-heap", self.walker)
        return results

    def _needs(self, name: str) -> str:
        return {"labkit": self.walker, "pause": self.walker, "pyheap": str(self.options.pyheap)}.get(name, "")

    def _compare_on_files(self, results: Results, names: list[str]) -> None:
        if not names:
            return
        heap = self.folder / self.capturer / "labkit.heap"
        if self.capturer not in results.runs:
            aside = Results(results.objects)
            self._ask(aside, self.capturer, self._needs(self.capturer))
        for form in ["columns"] * (names != ["memlab"]) + ["export"] * ("memlab" in names):
            command = [sys.executable, "-m", "peers.files", form, heap]
            _, problem = run(command, self.environment, self.limits)
            if problem:
                concerned = ("memlab",) if form == "export" else tuple(set(names) - {"memlab"})
                results.problems |= dict.fromkeys(concerned, f"{form}: {problem}")
        for _ in range(self.options.repeat):
            for name in names:
                if name == "memlab":
                    self._ask_memlab(results, heap.with_suffix(".heapsnapshot"))
                else:
                    self._ask(results, name, str(heap.with_suffix(".npz")))

    def _ask(self, results: Results, name: str, needed: str) -> None:
        if name in results.problems:
            return
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        python = sys.executable if name in OURS else self.python
        answer = place / "answer"
        command = [python, "-m", "peers.contest", name, str(results.objects), place, answer, needed]
        _, problem = run(command, self.environment, self.limits)
        results.add(name, read_steps(answer), problem)
        _progress(name, problem)

    def _ask_memlab(self, results: Results, heap: Path) -> None:
        if "memlab" in results.problems:
            return
        room = f"--max-old-space-size={self.limits.memory_bytes >> 20}"
        said, problem = run(
            ["node", room, HERE / "peers" / "memlab.cjs", self.memlab, heap], self.environment, self.limits
        )
        steps = {}
        if not problem:
            took = json.loads(said)
            peak = {"child_bytes": took["peak"]}
            steps["load"] = {"wall_s": took["load"], **peak, "nodes": took["nodes"], "file_bytes": heap.stat().st_size}
            steps["dominators and retained sizes"] = {"wall_s": took["retained"], **peak}
        results.add("memlab", steps, problem)
        _progress("memlab", problem)


def _progress(name: str, problem: str) -> None:
    print(f"  {name} {problem or 'done'}", file=sys.stderr, flush=True)


def main() -> None:
    """Print a table for each heap as soon as it is done, then how times grow, then the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[300_000, 1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--pyheap", type=Path, metavar="CHECKOUT")
    parser.add_argument("--pyheap-up-to", type=int, default=1_000_000, metavar="OBJECTS")
    parser.add_argument("--deadline", type=float, default=600, metavar="SECONDS")
    free_gb = psutil.virtual_memory().available / 1e9
    parser.add_argument("--memory-gb", type=float, default=round(0.8 * free_gb, 1))
    options = parser.parse_args()
    options.pyheap = options.pyheap and options.pyheap.resolve()
    assert set(NAMES) - {"memlab"} == set(CONTESTANTS)
    with tempfile.TemporaryDirectory() as temporary:
        contest = Contest(Path(temporary), options)
        contest.real_heap()  # the first time its libraries' byte code is made
        contest.compare(20_000)  # ... and that of all others
        real, every = contest.real_heap(), []
        for objects in options.objects:
            every.append(contest.compare(objects))
            print(f"\n{objects:,} objects asked for, {every[-1].nodes:,.0f} in the heap\n{table(every[-1])}")
            print(f"\nWhat they say:\n{answers(every[-1])}", flush=True)
    print(f"\nSeconds per million objects\n{scaling(every)}\n\nWanted")
    for heading, ratios in wanted(every, real):
        print(heading, *ratios, sep="\n", flush=True)


if __name__ == "__main__":
    main()
