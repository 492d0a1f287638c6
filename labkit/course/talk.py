"""Talking to an app as its users do: what it answers otherwise than it did, and the files that each round leaves."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.cases import Target
from labkit.conversation import Exchange, conversation_of
from labkit.drive.options import RecordOptions
from labkit.drive.server import Server

_TIMEOUT_S = 10.0
_ROUNDS = 4


def first_fault(target: Target, options: RecordOptions, case_folder: Path) -> str:
    """What the app says otherwise than it did, in a server of its own; empty where it says all as it must."""
    with _served(target, options) as (connection, _):
        return next(filter(None, (_fault(connection, said) for said in conversation_of(case_folder))), "")


def files_per_round(target: Target, options: RecordOptions, case_folder: Path) -> int:
    """How many files more are in the temporary folder after each round of its conversation; 0 where that ends."""
    with _served(target, options) as (connection, folder):
        counts = []
        for _ in range(_ROUNDS):
            for said in conversation_of(case_folder):
                _fault(connection, said)
            counts.append(sum(path.is_file() for path in folder.rglob("*")))
    return max(0, min(later - before for before, later in itertools.pairwise(counts)))


@contextmanager
def _served(target: Target, options: RecordOptions) -> Iterator[tuple[http.client.HTTPConnection, Path]]:
    """A connection to the app, and the temporary folder it has for itself."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        own = Path(folder, "tmp")
        own.mkdir()
        with (
            Server(target, options, Path(folder) / "server.log", environment={"TMPDIR": str(own)}) as server,
            contextlib.closing(http.client.HTTPConnection(*server.address, timeout=_TIMEOUT_S)) as connection,
        ):
            yield connection, own


def _fault(connection: http.client.HTTPConnection, said: Exchange) -> str:
    body, headers = said.sent
    try:
        connection.request(said.method, said.path, body=body, headers=headers)
        answer = connection.getresponse()
        return said.fault(answer.status, answer.read())
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"{said.request} gets no whole answer ({type(error).__name__})"
