"""A service of a lesson, in a process of its own: asked what a lesson asks, and photographed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labkit.agent.client import AgentError
from labkit.cases import Load, Serve, Step, Target, target_of
from labkit.drive.options import RecordOptions
from labkit.drive.replies import Reply, ask
from labkit.drive.sampling import settle
from labkit.drive.server import Server
from labkit.errors import AgentFailed, CourseError
from labkit.explore import Heap, open_snapshot

#: The small services of the lessons.
APPS = Path(__file__).resolve().parents[2] / "notebooks" / "apps"
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Service:
    """A running service of one worker; every request has a connection of its own, so that no timer keeps one."""

    server: Server
    folder: Path

    def ask(self, request: str) -> Reply:
        """Send ``"GET /path"``, with JSON after it if there is any: ``'PUT /a {"b": 1}'``."""
        method, _, rest = request.partition(" ")
        path, _, body = rest.partition(" ")
        return ask(self.server.address, f"{method} {path}", body.encode() or None, timeout_s=_TIMEOUT_S)

    def heap(self) -> Heap:
        """The heap of the worker once it rests: an answer comes before its connection has ended. Raises AgentFailed."""
        settle([self.server.workers[0].process])
        file = self.folder / f"{len(list(self.folder.glob('*.heap')))}.heap"
        try:
            self.server.workers[0].agent.snapshot(str(file))
        except AgentError as error:
            raise AgentFailed("The agent in the worker took no snapshot.", seen=str(error)) from None
        return open_snapshot(file)


@contextlib.contextmanager
def served(name: str, folder: Path) -> Iterator[Service]:
    """Serve a lesson's app, ``"03_life_of_a_request/keeps.py"`` with ``:NAME`` unless it is ``app``, or a case.

    Apps whose name begins with ``asgi`` run under Uvicorn. ``folder`` is for the log and the snapshots, which stay.
    Raises CourseError when there is no such app, and what ``Server`` raises.
    """
    target = target_for(name)
    options = RecordOptions.for_serving(target.serve)
    with Server(target, options, folder / "server.log") as server:
        yield Service(server, folder)


def target_for(name: str) -> Target:
    """What ``name`` means: an app of a lesson, or a case."""
    place, _, app_name = name.partition(":")
    if not place.endswith(".py"):
        return target_of(name)
    file = APPS / place
    if not file.is_file():
        there = ", ".join(sorted(str(path.relative_to(APPS)) for path in APPS.glob("*/*.py")))
        raise CourseError(f"No lesson has an app {place!r}.", seen=f"there are: {there}")
    serve = Serve(server="uvicorn" if file.name.startswith("asgi") else "gunicorn")
    load = Load(steps=(Step(request="GET /"),))  # the lesson itself says what is asked
    return Target(label=place, app_file=file, app_name=app_name or "app", load=load, serve=serve)
