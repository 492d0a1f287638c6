"""Heaps taken while the app holds TLS and database connections: their peers see no byte and no end, and they go on."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgresql import Database
from servers import APP, Served, children_of, serve

import labkit
from labkit.drive.collect import collect_snapshot

BOTH_WALKERS = pytest.mark.parametrize("environment", [{}, {"LABKIT_WALKER": "python"}], ids=["c", "python"])
CAPTURES = 3

TLS = """
import ssl, socket
context = ssl.create_default_context(cafile="certificate.pem")
HELD = [
    context.wrap_socket(socket.create_connection(("127.0.0.1", {port})), server_hostname="localhost") for _ in range(2)
]
class Upstream:
    def on_get(self, req, resp, number, word):
        HELD[int(number)].sendall(word.encode())
        resp.text = HELD[int(number)].recv(1000).decode()
app.add_route("/upstream/{{number}}/{{word}}", Upstream())
"""

POSTGRES = """
import psycopg, sqlalchemy
from psycopg_pool import ConnectionPool
WHERE = {where!r}
BARE = psycopg.connect(WHERE)
BARE.execute("create temporary table kept (word text)")
BARE.execute("insert into kept values ('mine')")  # a transaction that stays open
POOL = ConnectionPool(WHERE, min_size=2, max_size=2, open=True, timeout=20)
POOL.wait()
ENGINE = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(WHERE))
OUT = ENGINE.connect()
class Kept:
    def on_get(self, req, resp):
        with POOL.connection() as pooled:
            told = [BARE.execute("select word, pg_backend_pid() from kept").fetchone(),
                    pooled.execute("select count(*) from generate_series(1, 1000)").fetchone(),
                    tuple(OUT.execute(sqlalchemy.text("select 2")).one())]
        resp.text = repr(told)
app.add_route("/database/kept", Kept())
"""


def take_some(served: Served, folder: Path) -> None:
    (worker,) = served.workers()
    for number in range(CAPTURES):
        collect_snapshot(worker, folder / f"{number}.heap", 60)
        assert len(labkit.open_snapshot(folder / f"{number}.heap")) > 100_000
    assert children_of(worker.pid) == []


class Relay:
    """Passes connections on, and keeps every byte and every end that came from the app's side: the wire itself."""

    def __init__(self, target: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.from_app = b""
        self.ended = 0
        self._target = target
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass_on, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(far, near, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_app: bool) -> None:
        try:
            while part := source.recv(65536):
                if is_app:
                    self.from_app += part
                target.sendall(part)
        except OSError:
            pass
        self.ended += is_app
        target.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for ``localhost``, signed by itself."""
    if shutil.which("openssl") is None:
        reason = "openssl is not installed; on Debian: apt-get install openssl"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    files = ["-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run([*command, *names, *files], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def echo(certificate: Path) -> Iterator[int]:
    """The port of a TLS server that answers what it is sent, backwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as peer:
                while said := peer.recv(1000):
                    peer.sendall(said[::-1])
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@BOTH_WALKERS
def test_tls(tmp_path: Path, doors: Path, certificate: Path, echo: int, environment: dict[str, str]) -> None:
    (tmp_path / "certificate.pem").write_bytes((certificate / "certificate.pem").read_bytes())
    wire = Relay(echo)
    app = APP + TLS.format(port=wire.port)
    with wire.listener, serve("gunicorn gthread", tmp_path, doors, app=app, **environment) as served:
        assert served.get("/upstream/0/drawer") == "reward"
        on_the_wire = wire.from_app
        assert on_the_wire
        assert b"drawer" not in on_the_wire
        take_some(served, tmp_path)
        time.sleep(0.2)
        assert (wire.from_app, wire.ended) == (on_the_wire, 0)  # no byte, so no close_notify, and no end
        assert served.get("/upstream/0/stressed") == "desserts"
        assert served.get("/upstream/1/live") == "evil"
        assert len(wire.from_app) > len(on_the_wire)
        assert wire.ended == 0
        wire.listener.shutdown(socket.SHUT_RDWR)


@BOTH_WALKERS
def test_postgresql(tmp_path: Path, doors: Path, database_server: Database, environment: dict[str, str]) -> None:
    def backends() -> list[tuple[object, ...]]:
        """Of the app: number, begin, state, and when the state began: a message would change it."""
        query = (
            "select pid, backend_start, state, state_change from pg_stat_activity where datname = current_database()"
        )
        with psycopg.connect(database_server.where) as connection:
            return sorted(connection.execute(query + " and pid != pg_backend_pid()").fetchall())

    log_before = len(database_server.log.read_text())
    app = APP + POSTGRES.format(where=database_server.where)
    with serve("gunicorn gthread", tmp_path, doors, app=app, **environment) as served:
        told = served.get("/database/kept")
        assert told.startswith("[('mine', ")
        before = backends()
        assert len(before) == 4
        take_some(served, tmp_path)
        assert backends() == before
        assert served.get("/database/kept") == told
        assert [each[:2] for each in backends()] == [each[:2] for each in before]
        said = database_server.log.read_text()[log_before:]
    assert [line for line in said.splitlines() if "unexpected EOF" in line or "terminating" in line] == []
    assert "ERROR" not in said
    assert "FATAL" not in said
