"""A real server for a module of this folder, in a subprocess, on a Unix socket; and a client for it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from postgresql import WAIT_S, die_with_parent

HERE = Path(__file__).parent
GUNICORN = ("-m", "gunicorn", "--no-control-socket", "-w", "1", "-k", "gthread", "--threads", "8", "--timeout", "120")
UWSGI = ("uwsgi", "--master", "--threads", "8", "--lazy-apps", "--need-app", "--die-on-term")
UWSGI_PREFORK = ("uwsgi", "--master", "--enable-threads", "--need-app", "--die-on-term")
UVICORN = ("-m", "uvicorn", "--log-level", "warning")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=WAIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


class Served:
    """What the tests ask of a running app."""

    def __init__(self, path: str) -> None:
        self._path = path

    def open(self, path: str, method: str = "GET") -> http.client.HTTPResponse:
        """The answer, whose body has not been read."""
        connection = _Connection(self._path)
        connection.request(method, path, headers={"Connection": "close", "X-Secret": "canary-header"})
        answer = connection.getresponse()
        if connection.sock is not None:  # uWSGI closes without saying so before
            connection.sock.close()
            connection.sock = None
        return answer

    def get(self, path: str, method: str = "GET") -> tuple[int, bytes]:
        """Status and body; once they are here, ``tracked`` may be asked."""
        with self.open(path, method) as answer:
            return answer.status, answer.read()

    def tracked(self) -> dict[str, Any]:
        """What the tracker of the worker says, once no response is running any more."""
        deadline = time.monotonic() + WAIT_S
        while True:
            told = self.told()
            if all(each["response"] not in ("running", "sent") for each in told["check_outs"]):
                return told
            assert time.monotonic() < deadline, told
            time.sleep(0.02)

    def told(self) -> dict[str, Any]:
        """What it says this moment."""
        status, body = self.get("/connections")
        assert status == 200
        told: dict[str, Any] = json.loads(body)
        assert told["not_recorded_total"] == 0
        return told


@contextmanager
def serving(module: str, server: tuple[str, ...], database: str = "") -> Iterator[Served]:
    """Serve ``MODULE:application`` until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="app-", dir="/tmp"))
    path = folder / "http"
    bind = ("--bind", f"unix:{path}") if "gunicorn" in server else ("--uds", str(path))
    environment = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    environment |= {"TEST_DATABASE": database, "TEST_FOLDER": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *server, *bind, f"{module}:application"]
    if server[0] == "uwsgi":
        program = Path(sys.executable).with_name("uwsgi")
        command = [str(program), *server[1:], "--http-socket", str(path), "--module", f"{module}:application"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=HERE, env=environment, stdout=log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent
        )
    try:
        served = Served(str(path))
        _wait(served, process, folder / "log")
        yield served
    finally:
        process.terminate()
        try:
            process.wait(WAIT_S)
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder)


def _wait(served: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            served.told()
        except (OSError, http.client.HTTPException):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
