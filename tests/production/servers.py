"""Real servers, started as people start them, each with the agent the way its door lets it in."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from ports import free_port

from labkit.drive.workers import LiveWorker, live_workers

BIN = Path(sys.executable).parent
HOST = "127.0.0.1"

#: A Falcon app, WSGI and ASGI; each answer is told by its request, so that a changed or crossed one shows.
APP = """
import hashlib
import os
import falcon
import falcon.asgi
KEPT = []
PADDING = [{"number": number, "name": f"name {number}"} for number in range(20_000)]
def answer(number):
    return hashlib.sha256(number.encode()).hexdigest() * 40
class Things:
    def on_get(self, req, resp, number):
        resp.text = answer(number)
    def on_post(self, req, resp, number):
        KEPT.append(bytearray(200))
        resp.text = answer(number)
class AsyncThings:
    async def on_get(self, req, resp, number):
        resp.text = answer(number)
    async def on_post(self, req, resp, number):
        KEPT.append(bytearray(200))
        resp.text = answer(number)
app = falcon.App()
app.add_route("/{number}", Things())
asgi = falcon.asgi.App()
asgi.add_route("/{number}", AsyncThings())
"""
ONE_LINE = "import labkit_agent; labkit_agent.start()\n"

#: name -> command behind the interpreter's own programs, and whether the app starts the agent by its own line
SERVERS: dict[str, tuple[list[str], bool]] = {
    "gunicorn sync": (["gunicorn", "-c", "{doors}/labkit_gunicorn.py", "-w", "2", "app:app"], False),
    "gunicorn gthread": (
        ["gunicorn", "-c", "{doors}/labkit_gunicorn.py", "-w", "1", "--threads", "8", "app:app"],
        False,
    ),
    "gunicorn preload": (["gunicorn", "-w", "2", "--threads", "4", "--preload", "app:app"], True),
    "uwsgi prefork": (
        ["uwsgi", "--master", "-p", "2", "--enable-threads", "--import", "{doors}/labkit_uwsgi.py", "-w", "app:app"],
        False,
    ),
    "uwsgi threads": (
        ["uwsgi", "--master", "--threads", "8", "--lazy-apps", "--import", "{doors}/labkit_uwsgi.py", "-w", "app:app"],
        False,
    ),
    "uvicorn": (["uvicorn", "--log-level", "warning", "app:asgi"], True),
    "gunicorn uvicorn": (
        ["gunicorn", "-c", "{doors}/labkit_gunicorn.py", "-k", "uvicorn_worker.UvicornWorker", "-w", "2", "app:asgi"],
        False,
    ),
}


@dataclass
class Served:
    """A running server: where it listens, where its agents are, what it printed."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    agents: Path
    log: Path
    command: list[str]
    closes_connections: bool = False

    def workers(self, count: int = 1) -> list[LiveWorker]:
        """The workers that serve and have an agent, once there are ``count``."""
        deadline = time.monotonic() + 30
        while True:
            found = [worker for worker in live_workers(self.agents) if worker.pid != self.process.pid or count == 1]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def get(self, path: str, method: str = "GET") -> str:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            return answer.read().decode()


@contextlib.contextmanager
def serve(name: str, folder: Path, doors: Path, *more: str, app: str = APP, **environment: str) -> Iterator[Served]:
    """Run the server called ``name`` with two workers where it can have them; it is ended with all it started."""
    command, by_own_line = SERVERS[name]
    (folder / "app.py").write_text((ONE_LINE if by_own_line else "") + app)
    agents, log, port = folder / "agents", folder / "server.log", free_port()
    listen = {
        "gunicorn": ["-b", f"{HOST}:{port}", "--no-control-socket"],
        "uwsgi": ["--http-socket", f"{HOST}:{port}", "--die-on-term", "--need-app"],
        "uvicorn": ["--host", HOST, "--port", str(port)],
    }[command[0]]
    words = [word.format(doors=doors) for word in command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(BIN / words[0]), *listen, *more, *words[1:]],
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={
                **os.environ,
                "LABKIT_AGENT_DIR": str(agents),
                "PYTHONPATH": str(doors),
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
        )
    served = Served(process, port, folder, agents, log, words, closes_connections=words[0] == "uwsgi")
    try:
        _wait_until_it_answers(served)
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_it_answers(served: Served) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            served.get("/0")
        except OSError:
            assert time.monotonic() < deadline, served.log.read_text()
            assert served.process.poll() is None, served.log.read_text()
            time.sleep(0.05)
        else:
            return


def children_of(pid: int) -> list[int]:
    """Numbers of the process's children, zombies included."""
    return sorted(child.pid for child in psutil.Process(pid).children())
