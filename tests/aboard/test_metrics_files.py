"""What becomes of dead workers' files, value by value; and StatsD when nobody listens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from labkit.aboard import worker_files
from labkit.aboard.readings import Readings
from labkit.aboard.statsd import StatsD

DEAD, ALSO_DEAD = 4194300, 4194301  # above what Linux gives out


def write(folder: Path, kind: str, pid: int, value: float, *, name: str = "thing", timestamp: float = 0.0) -> None:
    file = MmapedDict(str(folder / f"{kind}_{pid}.db"))
    file.write_value(mmap_key(name, name, [], [], "help"), value, timestamp)
    file.close()


def collected(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))
    return {sample.name: sample.value for metric in registry.collect() for sample in metric.samples}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.db")}


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("counter", 12.0),
        ("summary", 12.0),
        ("histogram", 12.0),
        ("gauge_sum", 12.0),
        ("gauge_min", 2.0),
        ("gauge_max", 7.0),
        ("gauge_mostrecent", 7.0),
    ],
)
def test_what_the_dead_counted_is_kept(tmp_path: Path, kind: str, after: float) -> None:
    write(tmp_path, kind, DEAD, 7, timestamp=300)
    write(tmp_path, kind, ALSO_DEAD, 3, timestamp=100)
    write(tmp_path, kind, os.getpid(), 2, timestamp=200)
    before = collected(tmp_path)
    worker_files.sweep(str(tmp_path))
    assert collected(tmp_path) == before == {"thing": after}
    assert names(tmp_path) == {f"{kind}_{os.getpid()}.db", f"{kind}_gone.db"}


@pytest.mark.parametrize("mode", ["all", "liveall", "livesum", "livemax", "livemin", "livemostrecent"])
def test_gauges_of_the_dead_go(tmp_path: Path, mode: str) -> None:
    write(tmp_path, f"gauge_{mode}", DEAD, 7)
    write(tmp_path, f"gauge_{mode}", os.getpid(), 2)
    worker_files.sweep(str(tmp_path))
    assert names(tmp_path) == {f"gauge_{mode}_{os.getpid()}.db"}


def test_a_thousand_restarts_leave_one_file_of_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for turn in range(1000):
        for kind in ("counter", "histogram", "gauge_liveall", "gauge_all"):
            write(tmp_path, kind, 5000000 + turn, 1, name=kind)
        worker_files.child_exit(None, SimpleNamespace(pid=5000000 + turn))
    assert names(tmp_path) == {"counter_gone.db", "histogram_gone.db"}
    assert collected(tmp_path) == {"counter": 1000.0, "histogram": 1000.0}


def test_a_file_cut_short_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / f"counter_{DEAD}.db").write_bytes(b"\xff\xff\x00\x00 cut")
    (tmp_path / f"histogram_{DEAD}.db").write_bytes(b"")
    write(tmp_path, "counter", os.getpid(), 2)
    worker_files.sweep(str(tmp_path))
    assert names(tmp_path) == {f"counter_{os.getpid()}.db"}


def test_nothing_is_touched_where_names_are_not_process_ids(tmp_path: Path) -> None:
    """uWSGI's worker numbers, for instance."""
    write(tmp_path, "counter", 1, 2)
    write(tmp_path, "counter", DEAD, 2)
    worker_files.sweep(str(tmp_path), thoroughly=True)
    assert len(names(tmp_path)) == 2


@pytest.mark.parametrize("written_at", [0, 1 << 32], ids=["long ago", "before the clock was set back"])
def test_a_number_that_another_program_got_is_found_out(tmp_path: Path, written_at: int) -> None:
    write(tmp_path, "counter", os.getpid(), 2)
    command = [sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        write(tmp_path, "counter", other.pid, 5)
        worker_files.sweep(str(tmp_path), thoroughly=True)
        assert len(names(tmp_path)) == 2, "it may be about to open it"
        os.utime(tmp_path / f"counter_{other.pid}.db", (written_at, written_at))
        worker_files.sweep(str(tmp_path))
        assert len(names(tmp_path)) == 2, "only a thorough look tells"
        worker_files.sweep(str(tmp_path), thoroughly=True)
        assert names(tmp_path) == {f"counter_{os.getpid()}.db", "counter_gone.db"}
        other.communicate(b"")
    assert collected(tmp_path) == {"thing": 7.0}


def test_an_idle_worker_is_not_taken_for_another_program(tmp_path: Path) -> None:
    """It has not written for long, and has its file mapped."""
    write(tmp_path, "counter", os.getpid(), 2)
    script = f"""
import os, sys
from prometheus_client.mmap_dict import MmapedDict
file = MmapedDict(os.path.join({str(tmp_path)!r}, f"counter_{{os.getpid()}}.db"))
print(1, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        os.utime(tmp_path / f"counter_{worker.pid}.db", (0, 0))
        worker_files.sweep(str(tmp_path), thoroughly=True)
        assert f"counter_{worker.pid}.db" in names(tmp_path)
        worker.communicate(b"")


def test_the_arbiter_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    write(tmp_path, "counter", DEAD, 1)
    with worker_files.locked(str(tmp_path), patience_s=0) as have:
        assert have
        worker_files.child_exit(None, SimpleNamespace(pid=DEAD))
        assert names(tmp_path) == {f"counter_{DEAD}.db"}
    worker_files.child_exit(None, SimpleNamespace(pid=DEAD))
    assert names(tmp_path) == {"counter_gone.db"}


def test_the_hook_is_silent_without_multi_process_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    worker_files.child_exit(None, SimpleNamespace(pid=DEAD))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nowhere/at/all")
    worker_files.child_exit(None, SimpleNamespace(pid=DEAD))


# ---- StatsD -----------------------------------------------------------------------------------------


def test_statsd_sends_what_is_new(tmp_path: Path) -> None:
    readings = Readings(pools={"a b": lambda: 1})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        statsd = StatsD("127.0.0.1", listener.getsockname()[1], prefix="shop")
        for requests in (2, 3):
            for _ in range(requests):
                readings.begin().end()
            statsd.send(readings.take())
            lines = []
            while not any("requests_ended:" in line for line in lines):
                packet = listener.recv(65536)
                assert len(packet) <= 1400
                lines += packet.decode().splitlines()
            assert f"shop.requests_ended:{requests}|c" in lines
        statsd.close()
    assert f"shop.pool_checked_out.a_b.{os.getpid()}:1|g" in lines


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "no-such-host.invalid", "not a name at all", "x" * 300])
def test_statsd_does_not_care_who_listens(host: str) -> None:
    statsd = StatsD(host, 9)
    reading = Readings().take()
    for _ in range(200):
        statsd.send(reading)
    statsd.close()


def test_statsd_does_not_wait_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs, hangs alone."""
    asked, release = threading.Event(), threading.Event()

    def hang(host: str, port: int, *, flags: int = 0, **_: object) -> object:
        if flags:
            raise socket.gaierror
        asked.set()
        release.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    statsd = StatsD("statsd.example.com")
    statsd.send(Readings().take())
    assert asked.wait(20)
    statsd.send(Readings().take())
    assert not release.is_set()
    release.set()
