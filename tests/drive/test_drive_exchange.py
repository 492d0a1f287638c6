"""One request on one connection, against a server that does exactly what the test says."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from labkit.drive.exchange import Connection
from labkit.drive.visits import Request

GET = Request(name="GET /x", method="GET", path="/x", body=None, headers={})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class ScriptedServer:
    """The n-th connection is served by the n-th act; each request that arrives is counted by connection."""

    def __init__(self, *acts: Callable[["ScriptedServer", socket.socket], None]) -> None:
        self.requests: list[int] = []
        self.closed = threading.Event()
        self.release = threading.Event()
        self._acts = acts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def receive(self, connection: socket.socket) -> None:
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            part = connection.recv(4096)
            if not part:
                raise ConnectionError
            text += part
        self.requests.append(self._current)

    def _serve(self) -> None:
        for number, act in enumerate(self._acts):
            self._current = number
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(ConnectionError):
                act(self, connection)
            self.closed.set()

    def stop(self) -> None:
        self.release.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    servers: list[ScriptedServer] = []

    def start(*acts: Callable[[ScriptedServer, socket.socket], None]) -> ScriptedServer:
        servers.append(ScriptedServer(*acts))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def connect() -> Iterator[Callable[..., Connection]]:
    connections: list[Connection] = []

    def start(server: ScriptedServer, timeout_s: float = 10) -> Connection:
        connections.append(Connection(server.address, timeout_s))
        return connections[-1]

    yield start
    for connection in connections:
        connection.close()


def answers(*texts: bytes) -> Callable[[ScriptedServer, socket.socket], None]:
    """Answer one request with each text, then close."""

    def act(server: ScriptedServer, connection: socket.socket) -> None:
        for text in texts:
            server.receive(connection)
            connection.sendall(text)

    return act


def keeps_silent(server: ScriptedServer, connection: socket.socket) -> None:
    server.receive(connection)
    server.release.wait()


def test_a_connection_is_kept_alive(serve, connect):
    server = serve(answers(OK, OK, OK))
    connection = connect(server)
    assert [connection.ask(GET).status for _ in range(3)] == [200] * 3
    assert server.requests == [0, 0, 0]


def test_a_connection_the_server_ended_is_opened_again(serve, connect):
    close = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    server = serve(answers(close), answers(close))
    connection = connect(server)
    assert [connection.ask(GET).body_start for _ in range(2)] == [b"ok", b"ok"]
    assert server.requests == [0, 1]


def test_a_stale_connection_is_tried_once_more(serve, connect):
    server = serve(answers(OK), answers(OK))
    connection = connect(server)
    assert connection.ask(GET).status == 200
    server.closed.wait()
    assert connection.ask(GET).status == 200
    assert server.requests == [0, 1]


def test_it_is_tried_once_more_only_once(serve, connect):
    server = serve(answers(OK), answers(b""), answers(OK))
    connection = connect(server)
    connection.ask(GET)
    server.closed.wait()
    assert connection.ask(GET) is None
    assert server.requests == [0, 1]


def test_a_new_connection_without_an_answer_is_lost_not_retried(serve, connect):
    server = serve(answers(b""), answers(OK))
    assert connect(server).ask(GET) is None
    assert server.requests == [0]


@pytest.mark.parametrize(
    "begun",
    [
        b"H",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"this is no HTTP\r\n\r\n",
    ],
)
def test_an_answer_that_has_begun_is_lost_not_retried(serve, connect, begun):
    server = serve(answers(OK, begun), answers(OK))
    connection = connect(server)
    connection.ask(GET)
    assert connection.ask(GET) is None
    assert server.requests == [0, 0]
    assert connection.ask(GET).status == 200


def test_answers_of_every_framing_are_complete(serve, connect):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    to_the_end = b"HTTP/1.0 500 Oops\r\n\r\n" + b"x" * 100_000
    server = serve(answers(chunked, empty, to_the_end))
    connection = connect(server)
    got = [connection.ask(GET) for _ in range(3)]
    assert [(answer.status, answer.body_start) for answer in got] == [(200, b"ok"), (204, b""), (500, b"x" * 200)]


def test_silence_is_a_timeout(serve, connect):
    with pytest.raises(TimeoutError):
        connect(serve(keeps_silent), timeout_s=0.1).ask(GET)


def test_an_answer_that_never_ends_is_a_timeout(serve, connect):
    def drips(server: ScriptedServer, connection: socket.socket) -> None:
        server.receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.release.wait(0.02):
            connection.sendall(b".")

    with pytest.raises(TimeoutError):
        connect(serve(drips), timeout_s=0.3).ask(GET)


def test_nobody_listening_is_lost(free_port):
    assert Connection(("127.0.0.1", free_port), 10).ask(GET) is None


def test_a_request_in_flight_can_be_aborted(serve, connect):
    server = serve(keeps_silent)
    connection = connect(server, timeout_s=100)
    got: list[object] = ["nothing yet"]
    asking = threading.Thread(target=lambda: got.append(connection.ask(GET)))
    asking.start()
    while not server.requests:
        pass
    connection.abort()
    asking.join()
    assert got[1:] == [None]
