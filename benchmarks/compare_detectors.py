"""The cases as other tools see them: which names the holder, which the line, and which cry wolf on what is healthy.

    python benchmarks/compare_detectors.py [CASE ...] [--tool NAME ...]

Each tool looks at an app in a process of its own, the way its documentation shows: warm up, begin, play the same visits
as labkit does, end. Its whole output is then read:

    holder        the last part of the holder's name is in it
    line          the guilty line is in it
    false alarm   on a healthy twin or decoy it reports growth that goes on: in each of three windows, where it compares

Cases that need a server's threads or an event loop are left out, since these tools look from within.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import io
import json
import random
import re
import string
import subprocess
import sys
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labkit.cases import Case, Serve, list_cases, load_case

WINDOWS = 3
#: Growth of a window that is worth a report: so many objects of a type, so many bytes of a line.
MIN_OBJECTS, MIN_BYTES = 20, 4096
TIMEOUT_S = 120

Play = Callable[[], None]
Said = tuple[str, bool]


def objgraph_growth(play: Play) -> Said:
    """``objgraph.growth`` after each window: types whose number grew; what grew every time goes on."""
    import objgraph

    objgraph.growth()
    seen = []
    for _ in range(WINDOWS):
        play()
        seen.append({name: gained for name, _, gained in objgraph.growth(limit=50) if gained >= MIN_OBJECTS})
    lasting = set.intersection(*map(set, seen))
    return "\n".join(f"{name} +{seen[-1][name]}" for name in sorted(lasting)), bool(lasting)


def tracemalloc_diff(play: Play) -> Said:
    """``compare_to`` by line over each window, the ten largest; lines that grew every time go on."""
    tracemalloc.start(1)
    play()
    seen: list[dict[str, int]] = []
    for _ in range(WINDOWS):
        before = tracemalloc.take_snapshot()
        play()
        gc.collect()
        difference = tracemalloc.take_snapshot().compare_to(before, "lineno")[:10]
        seen.append({str(one.traceback[0]): one.size_diff for one in difference if one.size_diff >= MIN_BYTES})
    lasting = set.intersection(*map(set, seen)) - {line for line in seen[0] if "tracemalloc" in line}
    return "\n".join(sorted(lasting)), bool(lasting)


def guppy3_heap(play: Play) -> Said:
    """``hpy().heap()`` relative to the heap before, after each window: kinds that grew every time go on."""
    from guppy import hpy

    heapy = hpy()
    seen, text = [], ""
    for _ in range(WINDOWS):
        heapy.setrelheap()
        play()
        heap = heapy.heap()
        text = str(heap)
        rows = [heap[place] for place in range(min(len(heap), 10))] if len(heap) else []
        seen.append({str(row.kind) for row in rows if row.count >= MIN_OBJECTS})
    lasting = set.intersection(*seen) if seen else set()
    return text, bool(lasting)


def memray_leaks(play: Play) -> Said:
    """``memray.Tracker`` over all windows; what is still allocated at its end, by line, ten largest."""
    import memray

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "m.bin"
        with memray.Tracker(file, trace_python_allocators=True):
            for _ in range(WINDOWS):
                play()
            gc.collect()
        sizes: Counter[str] = Counter()
        with memray.FileReader(file) as reader:
            for record in reader.get_leaked_allocation_records(merge_threads=True):
                stack = record.stack_trace(30)
                place = next((f"{name}:{line}" for _, name, line in stack if "sample_apps" in name), "")
                place = place or (f"{stack[0][1]}:{stack[0][2]}" if stack else "?")
                sizes[place] += record.size
    top = [(place, size) for place, size in sizes.most_common(10) if size >= WINDOWS * MIN_BYTES]
    return "\n".join(f"{place} {size}" for place, size in top), bool(top)


TOOLS: dict[str, Callable[[Play], Said]] = {
    "objgraph": objgraph_growth,
    "tracemalloc": tracemalloc_diff,
    "guppy3": guppy3_heap,
    "memray": memray_leaks,
}


def main() -> None:
    """Run all pairs, print a row for each case and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--tool", action="append", choices=TOOLS)
    parser.add_argument("--within", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.within:
        print(json.dumps(_within(load_case(options.cases[0]), *options.within)))
        return
    cases = [load_case(name) for name in options.cases] if options.cases else list(list_cases())
    cases = [case for case in cases if case.serve == Serve()]
    tools = options.tool or list(TOOLS)
    sums: Counter[tuple[str, str]] = Counter()
    print(f"{'case':<34}" + "".join(f"{tool:<16}" for tool in tools))
    for case in cases:
        for variant in case.variants:
            cells = []
            for tool in tools:
                verdict = _judged(case, variant, tool)
                sums[tool, verdict] += 1
                cells.append(verdict)
            print(f"{case.name + ':' + variant:<34}" + "".join(f"{cell:<16}" for cell in cells), flush=True)
    for verdict in ("holder", "line", "something", "nothing", "false alarm", "quiet", "failed"):
        print(f"{verdict:<34}" + "".join(f"{sums[tool, verdict]:<16}" for tool in tools))


def _judged(case: Case, variant: str, tool: str) -> str:
    command = [sys.executable, __file__, case.name, "--within", variant, tool]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        said, grows = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        return "failed"
    if case.truth.verdict[variant] != "suspect":  # type: ignore[index]
        return "false alarm" if grows else "quiet"
    holder = re.split(r"[.\[]", case.truth.retainer)[-1]
    _, first, last = case.guilty_span()
    if re.search(rf"\b{re.escape(holder)}\b", said):
        return "holder"
    if any(re.search(rf"leaky\.py:{line}\b", said) for line in range(first, last + 1)):
        return "line"
    return "something" if grows else "nothing"


def _within(case: Case, variant: str, tool: str) -> Said:
    from falcon import testing

    file = case.app_file(variant)
    spec = importlib.util.spec_from_file_location(variant, file)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[variant] = module
    client_of, words = testing.TestClient, random.Random(1)
    played = 0
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        spec.loader.exec_module(module)
        client = client_of(module.app)

        def play(requests: int = 2 * case.load.requests_per_rung) -> None:
            nonlocal played
            for _ in range(max(requests // len(case.load.steps), 1)):
                word, played = "".join(words.choices(string.ascii_lowercase, k=10)), played + 1
                for step in case.load.steps:
                    method, _, path = step.request.replace("{i}", str(played)).replace("{word}", word).partition(" ")
                    body = step.body.replace("{i}", str(played)).replace("{word}", word)
                    client.simulate_request(method, path, body=body, headers=step.headers)

        play(case.load.warmup_requests + case.load.rungs * case.load.requests_per_rung)
        gc.collect()
        return TOOLS[tool](play)


if __name__ == "__main__":
    main()
