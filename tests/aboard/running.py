"""Real servers for what goes aboard, and how to ask them."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ports import free_port

from labkit.drive.processes import end_group, has_ended

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    """A server that is up, and the folder its workers write to."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    log: Path

    def get(self, path: str, *, method: str = "GET", body: str | None = None) -> tuple[int, str]:
        """One request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def metrics(self) -> dict[str, float]:
        """Every sample of one scrape: name with labels, value."""
        status, text = self.get("/metrics")
        assert status == 200, text
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def files(self) -> set[str]:
        return {path.name for path in self.folder.glob("*.db")}


def wait_until(condition: Callable[[], object], deadline_s: float = 30) -> None:
    give_up = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up, "it did not come true"
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def start_server(folder: Path, source: str, *command: str, path: Path | None = None, **more: str) -> Server:
    """Write ``served.py`` of this source and start it; ``command`` is a server and its options.

    ``path`` is one more folder to import from, ``more`` are environment variables.
    """
    port = free_port()
    (folder / "metrics").mkdir(parents=True)
    (folder / "served.py").write_text(textwrap.dedent(source))
    environment = os.environ | {
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "PYTHONPATH": os.pathsep.join([str(folder), str(REPOSITORY), *([str(path)] if path else [])]),
        **more,
    }
    program = [sys.executable, "-m", command[0]]
    bind = {
        "gunicorn": ["--bind", f"127.0.0.1:{port}", "--no-control-socket"],
        "uvicorn": ["--host", "127.0.0.1", "--port", str(port)],
        "uwsgi": ["--http-socket", f"127.0.0.1:{port}", "--die-on-term", "--need-app", "--module"],
    }[command[0]]
    words = [*bind, *command[1:], "served:app"]
    if command[0] == "uwsgi":  # a program of its own, whose last option here takes the app
        program, words = [str(Path(sys.executable).with_name("uwsgi"))], [*command[1:], *bind, "served:app"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, *words],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, port, folder / "metrics", log)
    try:
        wait_until(lambda: _answers(port) or has_ended(process))
        assert not has_ended(process), log.read_text()
    except BaseException:
        end_group(process)
        raise
    return server
