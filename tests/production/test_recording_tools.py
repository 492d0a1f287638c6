"""``labkit capture --record``: each tool records a live worker, says what it cost, and is gone afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import memray
import pytest
from servers import Served, serve

from labkit.drive.workers import LiveWorker
from labkit.store.bundle import unpack
from labkit.store.capture import open_capture
from labkit.store.recordings import TOOLS, read_rows

#: Small objects and large ones, kept by name; the line of each is known.
APP = """
import falcon
KEPT = []
class Order:
    def __init__(self, number):
        self.number = number
        self.papers = bytearray(20_000)  # papers
class Orders:
    def on_post(self, req, resp, number):
        KEPT.append(Order(number))
        resp.text = "ok"
    on_get = on_post
app = falcon.App()
app.add_route("/{number}", Orders())
"""
PAPERS = ["app.py", 1 + APP.splitlines().index("        self.papers = bytearray(20_000)  # papers")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, doors: Path) -> Iterator[Served]:
    with serve("gunicorn gthread", tmp_path_factory.mktemp("served"), doors, app=APP) as found:
        found.workers()
        yield found


def labkit(served: Served, folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "labkit", *words],
        cwd=folder,
        env={**os.environ, "LABKIT_AGENT_DIR": str(served.agents), "LABKIT_PROGRAM": "labkit"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def asked(served: Served) -> Iterator[None]:
    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.wait(0.01):
            served.get("/1", "POST")

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        yield
    finally:
        enough.set()
        asking.join()


def is_at_rest(worker: LiveWorker) -> bool:
    """Nothing records in it any more: tracemalloc can be read by nobody, memray be started and ended."""
    again = worker.socket_path.with_name("again.bin")
    try:
        worker.agent.record_start("memray", 10, path=str(again))
        worker.agent.record_end("memray")
    finally:
        again.unlink(missing_ok=True)
    return True


def test_every_tool_records_and_one_file_holds_it_all(served: Served, tmp_path: Path) -> None:
    (worker,) = served.workers()
    with asked(served):
        words = ("--pid", str(worker.pid), "--record", "all", "--record-for", "2", "-o", "all.capture")
        said, told = labkit(served, tmp_path, "capture", *words).communicate(timeout=120)
    assert said.endswith("labkit report all.capture -o report.html\n"), told
    assert told.splitlines() == [
        "snapshot 1 of 1 ...",
        "2 s the app alone ...",
        "2 s with py-spy ...",
        "2 s with tracemalloc ...",
        "2 s with memray ...",
        "packing ...",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["all.capture"]
    capture = unpack(tmp_path / "all.capture", tmp_path / "unpacked")
    assert [entry.tool for entry in capture.recordings] == list(TOOLS)
    assert [entry.why_not for entry in capture.recordings] == [""] * len(TOOLS)
    assert {path.suffix for path in (capture.folder / "recordings").iterdir()} == {".json"}
    by_tool = {entry.tool: entry for entry in capture.recordings}
    for tool in ("objgraph", "guppy3"):
        before, after = (
            next(row.count for row in read_rows(capture.folder, by_tool[tool], look) if row.what == "app.Order")
            for look in ("before", "after")
        )
        assert after > before > 0
        assert by_tool[tool].cost.keys() == {"pause_ms", "child_peak_bytes"}
    for tool, look in (("tracemalloc", "after"), ("memray", "over")):
        rows = read_rows(capture.folder, by_tool[tool], look)
        kept = sum(row.size_bytes or 0 for row in rows if tuple(PAPERS) in row.places[:1])
        assert kept >= 20_000
        assert rows[0].places[0] == tuple(PAPERS)
    assert read_rows(capture.folder, by_tool["py-spy"], "over")
    assert is_at_rest(worker)

    text, _ = labkit(served, tmp_path, "triage", "all.capture").communicate(timeout=60)
    lines = text.splitlines()
    seen = lines.index("What other tools saw")
    assert [line.split()[0] for line in lines[seen:] if line[:3].strip() and line[3:4].isalpha()][1:6] == list(TOOLS)
    assert f"app.py:{PAPERS[1]} +" in text
    assert "INCONCLUSIVE" in text


def test_the_tools_own_files_stay_in_the_folder(served: Served, tmp_path: Path) -> None:
    (worker,) = served.workers()
    words = ("--pid", str(worker.pid), "--record", "memray,py-spy", "--record-for", "1", "-o", "folder", "--native")
    with asked(served):
        _, told = labkit(served, tmp_path, "capture", *words).communicate(timeout=120)
    names = {path.name for path in (tmp_path / "folder" / "recordings").iterdir()}
    memrays, pyspies = f"memray.{worker.pid}", f"py-spy.{worker.pid}"
    assert names == {
        *(f"{memrays}{ending}" for ending in (".bin", ".html", "-over.json")),
        *(f"{pyspies}{ending}" for ending in (".txt", "-before.json", "-over.json")),
    }, told
    with memray.FileReader(tmp_path / "folder" / "recordings" / f"{memrays}.bin") as reader:
        assert reader.metadata.has_native_traces
    picture = (tmp_path / "folder" / "recordings" / f"{memrays}.html").read_text()
    assert "on_post" in picture
    assert "bytearray(20_000)" not in picture  # no line of the source
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "folder" / "recordings").iterdir())


@pytest.mark.parametrize("output", ["folder", "one.capture"])
def test_an_interrupted_recording_leaves_no_recorder(served: Served, tmp_path: Path, output: str) -> None:
    (worker,) = served.workers()
    words = ("--pid", str(worker.pid), "--record", "memray", "--record-for", "60", "-o", output)
    process = labkit(served, tmp_path, "capture", *words)
    assert process.stderr is not None
    for line in process.stderr:
        if "with memray" in line:
            break
        assert line
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"what was taken by then is in {output}; labkit triage {output} says what it shows" in told
    assert is_at_rest(worker)
    assert [path.name for path in tmp_path.iterdir()] == [output]
    folder = tmp_path / output
    capture = open_capture(folder) if folder.is_dir() else unpack(folder, tmp_path / "unpacked")
    assert [(entry.tool, entry.why_not) for entry in capture.recordings] == [("memray", "")]


def test_a_tool_that_is_not_there_is_told(tmp_path: Path, doors: Path, served: Served) -> None:
    """An app's own module of that name stands in front of the tool; the others record all the same."""
    (tmp_path / "objgraph.py").write_text("raise ImportError('not this one')\n")
    with serve("gunicorn sync", tmp_path, doors, app=APP) as other:
        worker = other.workers()[0]
        words = ("--pid", str(worker.pid), "--record", "objgraph,guppy3", "--record-for", "1", "-o", "folder")
        process = labkit(other, tmp_path, "capture", *words)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    why = "objgraph is not installed for the worker's interpreter; try: pip install objgraph"
    assert told.splitlines()[-1] == f"objgraph did not record process {worker.pid}: {why}"
    entries = json.loads((tmp_path / "folder" / "manifest.json").read_text())["recordings"]
    assert [(entry["tool"], entry["why_not"], len(entry["files"])) for entry in entries] == [
        ("objgraph", why, 0),
        ("guppy3", "", 2),
    ]


def test_unknown_tools(served: Served, tmp_path: Path) -> None:
    process = labkit(served, tmp_path, "capture", "--pid", "1", "--record", "valgrind", "-o", "x")
    assert process.communicate(timeout=60)[1].startswith("error: valgrind cannot record.\n")
    assert process.returncode == 2
