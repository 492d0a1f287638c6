"""Each way into a server that docs/production.md names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers import SERVERS, serve

import labkit
from labkit.drive.collect import collect_snapshot
from labkit.drive.workers import worker_with
from labkit.errors import NoAgent

REPOSITORY = Path(__file__).resolve().parents[2]
THEIRS = "def post_worker_init(worker):\n    open('theirs', 'w').close()\n"
OWN_FILE = "from labkit_gunicorn import post_worker_init\n"
BY_FILE = ["gunicorn", "-c", "{doors}/labkit_gunicorn.py", "-w", "2", "app:app"]
UWSGI = ["uwsgi", "--enable-threads", "-w", "app:app"]


@pytest.mark.parametrize(
    ("command", "by_own_line", "files", "environment"),
    [
        (["gunicorn", "-w", "2", "app:app"], False, {}, {"GUNICORN_CMD_ARGS": "-c {doors}/labkit_gunicorn.py"}),
        (BY_FILE, False, {"gunicorn.conf.py": THEIRS}, {}),
        (BY_FILE, False, {"mine.py": THEIRS}, {"LABKIT_GUNICORN_CONF": "mine.py"}),
        (["gunicorn", "-c", "mine.py", "-w", "2", "app:app"], False, {"mine.py": OWN_FILE}, {}),
        ([*UWSGI, "--master", "-p", "2"], False, {}, {"UWSGI_IMPORT": "{doors}/labkit_uwsgi.py"}),
        ([*UWSGI, "--import", "{doors}/labkit_uwsgi.py"], False, {}, {}),
        (["uvicorn", "--log-level", "warning", "--workers", "2", "app:asgi"], True, {}, {}),
    ],
    ids=["by variable", "their file", "their file by variable", "in their file", "uwsgi by variable", "one uwsgi",
         "uvicorn's workers"],
)  # fmt: skip
def test_a_way_in(
    tmp_path: Path,
    doors: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    by_own_line: bool,
    files: dict[str, str],
    environment: dict[str, str],
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setitem(SERVERS, "this one", (command, by_own_line))
    given = {name: value.format(doors=doors) for name, value in environment.items()}
    with serve("this one", tmp_path, doors, **given) as served:
        worker = served.workers()[0]
        collect_snapshot(worker, tmp_path / "x.heap", 60)
        assert len(labkit.open_snapshot(tmp_path / "x.heap")) > 100_000
        assert (tmp_path / "theirs").exists() == (THEIRS in files.values())
        assert "labkit" not in served.log.read_text()


def test_reloaded_workers_register_again(tmp_path: Path, doors: Path) -> None:
    with serve("gunicorn sync", tmp_path, doors) as served:
        before = {worker.pid for worker in served.workers(2)}
        os.kill(served.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + 30
        while before & (now := {worker.pid for worker in served.workers()}) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not before & now
        assert len(served.workers(2)) == 2


def _own_tmp(place: Path) -> str:
    """The commands for a ``/tmp`` of its own; what runs the test stays to be seen should it be in the other."""
    mount = "mount -t tmpfs none /tmp"
    if not REPOSITORY.is_relative_to("/tmp"):
        return mount
    (place / "old").mkdir()
    seen = place / "old" / REPOSITORY.relative_to("/tmp")
    return f"mount --rbind /tmp {place}/old && {mount} && mkdir -p {REPOSITORY} && mount --rbind {seen} {REPOSITORY}"


@pytest.mark.skipif(os.geteuid() != 0, reason="a container takes root")
def test_a_worker_in_a_container(tmp_path: Path, doors: Path) -> None:
    """With processes and a ``/tmp`` of its own; its number there is another one than here."""
    place = Path("/var/tmp") / f"labkit-{os.getpid()}"
    place.mkdir()
    app = place / "app.py"
    app.write_text(
        f"import sys, time; sys.path.insert(0, {str(place)!r})\n"
        "import labkit_agent; labkit_agent.start()\nKEPT = [bytearray(100)]\ntime.sleep(60)\n"
    )
    subprocess.run(["cp", "-r", *doors.iterdir(), place], check=True)
    inside = f"{_own_tmp(place)} && exec {sys.executable} {app}"
    environment = {name: value for name, value in os.environ.items() if name != "LABKIT_AGENT_DIR"}
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", inside]
    container = subprocess.Popen(command, start_new_session=True, env=environment)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
                worker = worker_with(int(children[0]))
            except (IndexError, NoAgent):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                break
        assert worker.root != Path("/")
        collect_snapshot(worker, tmp_path / "x.heap", 60)
        (kept,) = labkit.open_snapshot(tmp_path / "x.heap").select(type="bytearray").largest(1)
        assert kept.path_to_root()[:2] == ["module __main__", "KEPT"]
        assert {path.suffix for path in worker.socket_path.parent.iterdir()} == {".json", ".sock"}
    finally:
        os.killpg(container.pid, signal.SIGKILL)
        container.wait()
        subprocess.run(["rm", "-r", place], check=True)
