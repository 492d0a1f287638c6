"""A PostgreSQL server of our own, from the binaries that are here: a temporary folder, a Unix socket, one user."""

from __future__ import annotations

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

from labkit.agent.servers import die_with_parent
from labkit.errors import CaptureError

WAIT_S = 60
USER = "tester"


@dataclass(frozen=True)
class Database:
    """A server that runs: what to connect with, and where it writes its log."""

    where: str
    log: Path


def binaries() -> Path | None:
    """The folder that holds ``initdb`` and ``postgres``; none where PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -float(folder.parent.name))
    on_path = shutil.which("postgres")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((each for each in folders if (each / "initdb").exists() and (each / "postgres").exists()), None)


@contextmanager
def running(programs: Path) -> Iterator[Database]:
    """Start it; as root it runs as ``nobody``, since it refuses to run as root. Raises CaptureError."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
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
        done = subprocess.run(create, timeout=WAIT_S, check=False, **common)  # type: ignore[call-overload]
        if done.returncode:
            raise CaptureError("PostgreSQL could not be set up.", seen=(folder / "log").read_text()[-400:])
        server = subprocess.Popen(serve, preexec_fn=die_with_parent, **common)  # type: ignore[call-overload]
        try:
            _wait(programs, folder, server)
            yield Database(f"host={folder} user={USER} dbname=postgres", folder / "log")
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(WAIT_S)
    finally:
        log.close()
        shutil.rmtree(folder)


def _wait(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT_S
    ready = [str(programs / "pg_isready"), "-q", "-h", str(folder), "-U", USER, "-d", "postgres"]
    while subprocess.run(ready, check=False, env={"PATH": os.defpath}, cwd=folder).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise CaptureError("PostgreSQL did not come up.", seen=(folder / "log").read_text()[-400:])
        time.sleep(0.05)
