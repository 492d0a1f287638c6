"""Players against a real server in this process that notes what it is asked."""

import http.server
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from labkit.cases import Load, Step
from labkit.drive.answers import Expectations
from labkit.drive.faults import not_an_app_hint
from labkit.drive.load import Players, Tally
from labkit.drive.visits import Script
from labkit.errors import AppAnswersErrors, AppHangs, WorkerDied


class Noting(http.server.ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), NotingHandler)
        self.asked: list[tuple[str, str, bytes]] = []
        self.clients: set[int] = set()
        self.release = threading.Event()


class NotingHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer
    server: Noting

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, body))
        self.server.clients.add(self.client_address[1])
        if self.path.startswith("/hang"):
            self.server.release.wait()
        self.send_response(int(self.path.split("/")[1]) if self.path[1:4].isdigit() else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def noting() -> Iterator[Noting]:
    server = Noting()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def players(server: Noting, script: Script, visits: int | None, concurrency: int, **more: object) -> Players:
    address = server.server_address
    options = {"first_visit": 0, "timeout_s": 10.0} | more
    return Players(address, script, visits=visits, concurrency=concurrency, **options)  # type: ignore[arg-type]


def all_well() -> None:
    """The server is as it should be."""


STEPS = (Step(request="POST /x/{i}", body="{word}"), Step(request="GET /x/{i}/{word}"))


def test_the_same_requests_are_played_whatever_the_concurrency(noting):
    played = []
    for concurrency in (1, 5):
        noting.asked.clear()
        with players(noting, Script(Load(steps=STEPS)), 40, concurrency) as playing:
            playing.drain(all_well)
        played.append(sorted(noting.asked))
    assert len(played[0]) == 80
    assert played[0] == played[1]
    assert Counter(path.split("/")[2] for _, path, _ in played[0]) == {str(i): 2 for i in range(40)}


def test_one_player_plays_visits_and_steps_in_order(noting):
    with players(noting, Script(Load(steps=STEPS)), 3, 1, first_visit=5) as playing:
        playing.drain(all_well)
    assert [path.rsplit("/", 1)[0] if method == "GET" else path for method, path, _ in noting.asked] == [
        "/x/5", "/x/5", "/x/6", "/x/6", "/x/7", "/x/7",
    ]  # fmt: skip


def test_each_player_keeps_one_connection(noting):
    with players(noting, Script(Load(steps=STEPS)), 60, 3) as playing:
        tally = playing.drain(all_well)
    assert len(noting.clients) <= 3
    assert (tally.requests, tally.lost) == (120, 0)


def test_play_until_enough(noting):
    with players(noting, Script(Load(steps=STEPS)), None, 2) as playing:
        playing.wait_for(10, all_well)
        playing.enough()
        tally = playing.drain(all_well)
    assert tally.requests >= 10
    assert tally.requests == len(noting.asked) == 2 * playing.visits_begun


def test_a_request_that_hangs_is_named_and_the_others_stop(noting):
    script = Script(Load(steps=(Step(request="GET /x/{i}"), Step(request="GET /hang/{i}"))))
    with pytest.raises(AppHangs) as hung, players(noting, script, 50, 3, timeout_s=0.2) as playing:
        playing.drain(all_well)
    assert "GET /hang/" in hung.value.what
    assert "no complete answer within 0.2 s" in hung.value.what
    assert not any(thread.name.startswith("player") for thread in threading.enumerate())


def test_what_the_watch_raises_ends_the_players(noting):
    def watch() -> None:
        if noting.asked:
            raise WorkerDied("gone")

    script = Script(Load(steps=(Step(request="GET /hang/{i}"),)))
    with pytest.raises(WorkerDied), players(noting, script, 50, 3, timeout_s=100) as playing:
        playing.drain(watch)
    assert not any(thread.name.startswith("player") for thread in threading.enumerate())


def tally_of(noting: Noting, load: Load) -> Tally:
    with players(noting, Script(load), 4, 2) as playing:
        return playing.drain(all_well)


def test_unexpected_answers_of_several_steps_are_counted_by_step(noting):
    load = Load(steps=tuple(Step(request=text) for text in ("GET /x", "GET /404/{i}", "GET /409", "GET /503")))
    counts = Expectations(load.model_copy(update={"expect_statuses": (404,)}), (409,)).counts(tally_of(noting, load))
    assert counts == {"lost": 0, "200": 4, "404": 4, "409": 4, "503 GET /503": 4}


def test_nothing_but_errors_is_told_with_status_count_request_and_body(noting):
    load = Load(steps=(Step(request="GET /500/{i}"),))
    tally = tally_of(noting, load)
    with pytest.raises(AppAnswersErrors) as told:
        Expectations(load, ()).require_some_normal(tally)
    assert told.value.what == "The app answers 500 to GET /500/{i}, and nothing else to anything."
    assert told.value.seen == "4 of 4 answers; one says: ok"
    assert "--allow-status 500" in told.value.hint
    Expectations(load, (500,)).require_some_normal(tally)


def test_the_servers_last_exception_says_more_than_a_500(noting):
    load = Load(steps=(Step(request="GET /500/{i}"),))
    with pytest.raises(AppAnswersErrors) as told:
        Expectations(load, ()).require_some_normal(tally_of(noting, load), "KeyError: 'price'")
    assert told.value.seen == "4 of 4 answers; one says: KeyError: 'price'"


@pytest.mark.parametrize(
    ("exception", "hint"),
    [
        ("TypeError: create_app() takes 0 positional arguments but 2 were given", "--app 'FILE.py:create_app()'"),
        ("TypeError: Shop() takes no arguments", "--app 'FILE.py:Shop()'"),
        ("TypeError: Shop.__init__() takes 1 positional argument but 3 were given", "--app 'FILE.py:Shop()'"),
        ("TypeError: App.__call__() missing 1 required positional argument: 'send'", "--server uvicorn"),
        (
            "TypeError: App.__call__() missing 1 required positional argument: 'start_response'",
            "leave --server uvicorn out",
        ),
        ("TypeError: App.__call__() takes 3 positional arguments but 4 were given", "leave --server uvicorn out"),
        ("TypeError: price() takes 0 positional arguments but 2 were given", ""),
        ("KeyError: 'price'", ""),
        ("", ""),
    ],
)
def test_an_app_of_another_kind_is_told(exception: str, hint: str):
    told = not_an_app_hint(exception, hint.partition(":")[2].removesuffix("()'") or "app")
    assert told.endswith(hint) if hint else told == ""


def test_some_errors_are_no_error(noting):
    load = Load(steps=(Step(request="GET /500/{i}"), Step(request="GET /x")))
    tally = tally_of(noting, load)
    Expectations(load, ()).require_some_normal(tally)
    assert tally.answers["500", "GET /500/{i}"] == 4


def test_a_server_that_only_hangs_up_is_told(free_port):
    load = Load(steps=(Step(request="GET /x"),))
    nobody = Players(("127.0.0.1", free_port), Script(load), first_visit=0, visits=3, concurrency=1, timeout_s=5)
    with nobody as playing:
        tally = playing.drain(all_well)
    assert tally.lost == 3
    with pytest.raises(AppAnswersErrors, match="closes every connection"):
        Expectations(load, ()).require_some_normal(tally)
