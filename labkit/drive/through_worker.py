"""Files that a worker writes for us, where it may see other files than we do or be another user's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """A file of ours at ``path``, which the worker writes at ``here``, and calls ``there``."""

    path: Path
    here: Path
    there: str

    def fetch(self) -> None:
        """Bring it to ``path``, when the worker wrote it elsewhere."""
        if self.here != self.path:
            try:
                shutil.copyfile(self.here, self.path)
            finally:
                self.here.unlink(missing_ok=True)


@dataclass(frozen=True)
class LocalFiles:
    """How to have a worker write a file: straight to its place, or by way of ``folder``, the worker's own.

    ``root`` is how the worker's files are seen from here (``/``, or ``/proc/PID/root``); ``folder`` None: straight.
    """

    pid: int
    root: Path = Path("/")
    folder: Path | None = None

    def place(self, path: Path) -> Place:
        """Where the worker is to write what belongs at ``path``."""
        if self.folder is None:
            return Place(path, path, str(path))
        here = self.folder / f"taken-{os.getpid()}-{self.pid}-{path.name}"
        return Place(path, here, str(Path("/") / here.relative_to(self.root)))

    def through(self, path: Path, ask: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """``ask(there)`` has the worker write the file; afterwards it is at ``path``, or nowhere."""
        place = self.place(path)
        with _swept(place.here):
            try:
                answer = ask(place.there)
                place.fetch()
            except BaseException:
                place.here.unlink(missing_ok=True)
                raise
        return answer


@contextmanager
def _swept(path: Path) -> Iterator[None]:
    """A worker that is killed cannot remove what its child had written by then; the child ends with it."""
    try:
        yield
    finally:
        path.with_name(f"{path.name}.partial").unlink(missing_ok=True)
