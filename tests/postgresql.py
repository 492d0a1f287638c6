"""A PostgreSQL server of our own, from Debian's binaries: in a temporary folder, on a Unix socket, for one user."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

WAIT_S = 60
USER = "tester"


@dataclass(frozen=True)
class Database:
    """A server that runs: what to connect with, and where it writes its log."""

    where: str
    log: Path


def binaries() -> Path | None:
    """The folder that holds ``initdb`` and ``postgres``."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -float(folder.parent.name))
    on_path = shutil.which("postgres")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((each for each in folders if (each / "initdb").exists() and (each / "postgres").exists()), None)


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


@contextmanager
def running(programs: Path) -> Iterator[Database]:
    """Start it; as root it runs as ``nobody``, since it refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: it holds a Unix socket
    other = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if other:
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    log = (folder / "log").open("wb")
    common = {"cwd": folder, "env": environment, "stdout": log, "stderr": subprocess.STDOUT, **other}
    create = [programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "--no-sync", "--encoding=UTF8"]
    serve = [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    try:
        done = subprocess.run(create, timeout=WAIT_S, **common)  # type: ignore[call-overload]
        assert done.returncode == 0, (folder / "log").read_text()
        server = subprocess.Popen(serve, preexec_fn=die_with_parent, **common)  # type: ignore[call-overload]
        try:
            where = f"host={folder} user={USER} dbname=postgres"
            _wait(where, server, folder / "log")
            yield Database(where, folder / "log")
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(WAIT_S)
    finally:
        log.close()
        shutil.rmtree(folder)


def _wait(where: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            psycopg.connect(where, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def database_server() -> Iterator[Database]:
    """One for each module, so that none is left when the next begins; in CI it must be there."""
    programs = binaries()
    if programs is None:
        reason = "PostgreSQL's initdb and postgres are not here; on Debian: apt-get install postgresql"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with running(programs) as found:
        yield found


@pytest.fixture(scope="module")
def database(database_server: Database) -> str:
    """What to connect with."""
    return database_server.where
