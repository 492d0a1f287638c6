"""Whatever is wrong gets its own three lines and exit status 2, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from .conftest import MARK, Labkit, Outcome, marked_processes, short_folder

RECORDED = Path(__file__).resolve().parents[2] / "data"
REQUEST = ("--request", "GET /items/{i}")
QUICK = ("--requests", "20", "--warmup", "20", "--rungs", "4", "--no-sites")
PLAIN = """
import time
def app(environ, start_response):
    {before}
    start_response({status!r}, [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
"""


def plain_app(folder: Path, *, before: str = "pass", status: str = "200 OK") -> str:
    """A WSGI app in a file of its own; ``before`` runs in each request."""
    file = folder / "service.py"
    file.write_text(PLAIN.format(before=before, status=status))
    return f"{file}:app"


def refused(outcome: Outcome, *texts: str) -> None:
    """The outcome is an error of the agreed form that contains ``texts``, and left no file."""
    assert outcome.status == 2, (outcome.out, outcome.err)
    assert outcome.out == ""
    assert re.match(r"(Investigating .+ \.\.\.\n)?error: ", outcome.err)
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) <= 12
    for text in texts:
        assert text in outcome.err
    assert outcome.left_behind() == []


def test_no_such_case(labkit: Labkit) -> None:
    refused(labkit("investigate", "sesion_cache"), "There is no case 'sesion_cache'", "near: session_cache")


def test_nothing_to_investigate(labkit: Labkit) -> None:
    refused(labkit("investigate"), "There is nothing to investigate", "--app FILE.py:app")


def test_an_app_without_a_load(labkit: Labkit, tmp_path: Path) -> None:
    refused(labkit("investigate", "--app", plain_app(tmp_path)), "An app needs a load", "--request 'GET /items/{i}'")


def test_a_request_that_is_none(labkit: Labkit, tmp_path: Path) -> None:
    outcome = labkit("investigate", "--app", plain_app(tmp_path), "--request", "/items")
    refused(outcome, "The load cannot be played", "METHOD /path", "not '/items'")


@pytest.mark.parametrize(
    ("words", "said", "tried"),
    [
        (["investigat"], "error: argument COMMAND: invalid choice: 'investigat'", "--help"),
        (["investigate", "--rungs", "six"], "error: argument --rungs: invalid int value: 'six'", "investigate --help"),
        (["export"], "error: the following arguments are required: SNAPSHOT, --to, -o/--output", "export --help"),
    ],
)
def test_words_nobody_knows(labkit: Labkit, words: list[str], said: str, tried: str) -> None:
    outcome = labkit(*words)
    assert outcome.err.startswith(said)
    refused(outcome, tried)
    assert len(outcome.err.splitlines()) == 2


def test_a_module_that_is_not_there(labkit: Labkit) -> None:
    refused(labkit("investigate", "--app", "shop.web:app", *REQUEST), "There is no app file ", "shop/web.py.")


def test_a_module_is_found_from_the_current_folder(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "here" / "shop").mkdir()
    (tmp_path / "here" / "shop" / "web.py").write_text("app = None\n")
    outcome = labkit("investigate", "--app", "shop.web:nothing", *REQUEST)
    assert (outcome.status, outcome.left_behind()) == (2, ["shop/web.py"])
    assert "error: web.py has no 'nothing'.\n" in outcome.err


def test_too_few_rungs(labkit: Labkit, tmp_path: Path) -> None:
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--rungs", "2")
    refused(outcome, "The load cannot be played", "rungs")


@pytest.mark.parametrize(
    ("option", "least"), [("--requests", 1), ("--warmup", 0), ("--concurrency", 1), ("--rungs", 4)]
)
def test_a_number_that_is_too_small_is_told_by_the_option_it_was_given_with(
    labkit: Labkit, tmp_path: Path, option: str, least: int
) -> None:
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, option, "-5")
    refused(outcome, f"seen: {option}: Input should be greater than or equal to {least}, not -5")


def test_an_app_that_does_not_import(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import a_package_nobody_has\n")
    outcome = labkit("investigate", "--app", f"{tmp_path / 'broken.py'}:app", *REQUEST)
    refused(outcome, "No module named 'a_package_nobody_has'")


def test_an_app_file_that_is_not_there(labkit: Labkit, tmp_path: Path) -> None:
    refused(labkit("investigate", "--app", f"{tmp_path / 'gone.py'}:app", *REQUEST), "gone.py")


def test_an_app_name_that_is_not_there(labkit: Labkit, tmp_path: Path) -> None:
    app = plain_app(tmp_path).replace(":app", ":application")
    refused(labkit("investigate", "--app", app, *REQUEST), "application")


def test_a_port_that_is_taken(labkit: Labkit, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--port", port), port, "--port")


def test_an_app_that_answers_500_to_everything(labkit: Labkit, tmp_path: Path) -> None:
    app = plain_app(tmp_path, status="500 Internal Server Error")
    refused(labkit("investigate", "--app", app, *REQUEST, *QUICK), "500", "GET /items/", "--allow-status 500")


def test_an_endpoint_that_hangs(labkit: Labkit, tmp_path: Path) -> None:
    app = plain_app(tmp_path, before="time.sleep(3600)")
    outcome = labkit("investigate", "--app", app, *REQUEST, *QUICK, "--request-timeout", "1")
    refused(outcome, "GET /items/", "within 1 s")


def test_a_worker_killed_in_mid_run(labkit: Labkit, tmp_path: Path) -> None:
    before = "import os; environ['PATH_INFO'] == '/items/30' and os.kill(os.getpid(), 9)"
    app = plain_app(tmp_path, before=before)
    refused(labkit("investigate", "--app", app, *REQUEST, *QUICK), "worker")


def test_an_interpreter_without_a_server(labkit: Labkit, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty"], check=True)
    python = str(tmp_path / "empty" / "bin" / "python")
    refused(labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--python", python), "gunicorn")


def test_an_interpreter_that_is_not_there(labkit: Labkit, tmp_path: Path) -> None:
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--python", "/nowhere/python")
    refused(outcome, "/nowhere/python")


def test_an_out_folder_with_something_in_it(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").write_text("mine")
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--out", str(tmp_path / "kept"))
    refused(outcome, "is not empty", "--out")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine.txt"]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real snapshot, taken in a small process of its own."""
    folder = tmp_path_factory.mktemp("snapshot")
    script = (
        "import sys; sys.argv[0] = 'x'; from labkit.agent import snapshot; "
        f"snapshot.take({str(folder / 'real.heap')!r}, 60)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    return folder / "real.heap"


def test_a_single_snapshot_is_surveyed(labkit: Labkit, snapshot: Path) -> None:
    outcome = labkit("triage", str(snapshot))
    assert outcome.status == 3
    assert "labkit investigate" in outcome.out


def test_a_truncated_snapshot(labkit: Labkit, snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "short.heap").write_bytes(snapshot.read_bytes()[:-2000])
    refused(labkit("triage", str(tmp_path / "short.heap")), "ends early")


def test_a_file_that_is_no_snapshot(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("the worker grows")
    refused(labkit("triage", str(tmp_path / "notes.txt")), "is not a heap snapshot")


def test_a_snapshot_from_a_newer_version(labkit: Labkit, snapshot: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.heap"
    with zipfile.ZipFile(snapshot) as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'"version": 2', b'"version": 99') if name == "header.json" else data)
    refused(labkit("triage", str(newer)), "another version", "99")


def test_a_folder_that_is_no_capture(labkit: Labkit, tmp_path: Path) -> None:
    refused(labkit("report", str(tmp_path / "nothing"), "-o", "x.html"), "is not a labkit capture")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing(how: signal.Signals, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    scratch = short_folder()
    command = [sys.executable, "-m", "labkit", "investigate", "session_cache"]
    environment = {**os.environ, MARK: str(tmp_path), "TMPDIR": str(scratch)}
    with subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, text=True) as running:
        while not (len(marked_processes(str(tmp_path))) > 1 and list(here.rglob("*.heap"))):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(how)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 128 + how
    assert "Traceback" not in err
    if how == signal.SIGINT:
        assert err.splitlines()[-1] == "interrupted: the server was stopped and no unfinished file was left"
    assert marked_processes(str(tmp_path)) == []
    assert [path for path in here.rglob("*") if path.is_file()] == []
    assert list(scratch.iterdir()) == []
    scratch.rmdir()


@pytest.mark.parametrize("kept", [True, False])
def test_an_interruption_of_the_analysis_says_where_the_recording_is(
    kept: bool, labkit: Labkit, tmp_path: Path
) -> None:
    here, out = tmp_path / "here", tmp_path / "kept"
    scratch = short_folder()
    command = [sys.executable, "-m", "labkit", "investigate", "--app", plain_app(tmp_path), *REQUEST, *QUICK]
    command += ["--out", str(out)] if kept else ["--json"]
    environment = {**os.environ, MARK: str(tmp_path), "TMPDIR": str(scratch), "LABKIT_PROGRAM": "./workbook"}
    with subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, text=True) as running:
        while not list((out if kept else scratch).rglob("capture/manifest.json")):
            assert running.poll() is None
            time.sleep(0.005)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert (running.returncode, "Traceback" in err) == (130, False)
    said = err.splitlines()[-1]
    assert list(scratch.iterdir()) == []
    scratch.rmdir()
    if not kept:
        assert said == "interrupted: --out DIR keeps what was recorded"
        return
    assert said == f"interrupted: the recording is complete in {out}; ./workbook triage {out} goes on from there"
    assert sorted(path.name for path in out.iterdir()) == ["capture"]
    assert labkit("triage", str(out)).status in (0, 3)


def test_a_killed_driver_takes_its_server_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "labkit", "investigate", "session_cache"]
    environment = {**os.environ, MARK: str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as running:
        while not list(tmp_path.rglob("*.heap")):
            assert running.poll() is None
            time.sleep(0.05)
        running.kill()
    deadline = time.monotonic() + 20
    while marked_processes(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked_processes(str(tmp_path)) == []


def test_bodies_that_match_no_requests(labkit: Labkit, tmp_path: Path) -> None:
    requests = ("--request", "POST /a/{i}", "--request", "PUT /b/{i}", "--request", "POST /c/{i}")
    bodies = ("--body", "one", "--body", "two")
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *requests, *bodies)
    refused(outcome, "Bodies and requests do not match", "2 times --body, 3 requests")


def test_the_out_folder_is_a_file(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--out", str(tmp_path / "mine.txt"))
    refused(outcome, "is a file; a folder is needed", "--out")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_forgotten_quotes(labkit: Labkit, tmp_path: Path) -> None:
    outcome = labkit("investigate", "--app", plain_app(tmp_path), "--request", "GET", "/orders/{i}")
    refused(outcome, "Give a case or --app, not both", "put quotes around it")


def test_triage_takes_the_folder_that_out_named(labkit: Labkit, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, *QUICK, "--out", str(kept), "--json")
    again = labkit("triage", str(kept), "--json")
    assert (again.status, again.findings["verdict"]) == (done.status, done.findings["verdict"])


CACHED = """
import functools

@functools.lru_cache(maxsize=1000)
def price_of(path):
    return [path] * 20

def app(environ, start_response):
    price_of(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_a_run_too_short_to_fill_a_bounded_cache_accuses_nobody(labkit: Labkit, tmp_path: Path) -> None:
    """Every WSGI server parses addresses through an lru_cache with 128 places; the other one is the app's own."""
    found = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, *QUICK, "--json").findings
    assert (found["verdict"], found["suspects"], found["missing"]) == ("clean", [], [])
    app = tmp_path / "cached.py"
    app.write_text(CACHED)
    found = labkit("investigate", "--app", str(app), *REQUEST, *QUICK, "--json").findings
    assert (found["verdict"], found["suspects"]) == ("inconclusive", [])
    assert "cached.price_of is an lru_cache with a bound and was not seen full" in found["missing"][0]


KINDS = """
def create_app():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    return app
class Asgi:
    async def __call__(self, scope, receive, send):
        pass
asgi = Asgi()
def broken(environ, start_response):
    return {}["price"]
"""


@pytest.mark.parametrize(
    ("name", "hint"),
    [("create_app", ":create_app()"), ("asgi", "--server uvicorn"), ("broken", "KeyError: 'price'")],
)
def test_what_is_no_app_is_told_by_its_last_exception(name: str, hint: str, labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(KINDS)
    refused(labkit("investigate", "--app", f"{tmp_path}/service.py:{name}", *REQUEST, *QUICK), "answers 500", hint)


def test_no_workers(labkit: Labkit, tmp_path: Path) -> None:
    outcome = labkit("investigate", "--app", plain_app(tmp_path), *REQUEST, "--workers", "0")
    refused(outcome, "at least one worker", "seen: 0 workers", "--workers 1")


def test_a_demo_of_what_does_not_leak(labkit: Labkit) -> None:
    outcome = labkit("demo", "bounded_cache", "--no-sites")
    assert outcome.status == 2
    assert "error: The demo shows a leak, and none was found." in outcome.err
    assert "try:  labkit investigate bounded_cache" in outcome.err


def test_a_demo_that_is_misspelt(labkit: Labkit) -> None:
    refused(labkit("demo", "sesion_cache"), "There is no case 'sesion_cache'")


@pytest.mark.parametrize(
    ("file", "seen"), [("nobody.json", "No such file or directory"), ("binary.json", "it is no text in UTF-8")]
)
def test_a_body_that_cannot_be_read(labkit: Labkit, tmp_path: Path, file: str, seen: str) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    words = ("--app", plain_app(tmp_path), "--request", "POST /x", "--body-file", str(tmp_path / file))
    refused(labkit("investigate", *words), f"{file} cannot be sent as a body.", seen)


def test_an_out_folder_that_cannot_be_made(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(labkit("investigate", "session_cache", "--out", str(tmp_path / "file" / "out")), "out cannot be made.")


def test_a_report_that_cannot_be_written(labkit: Labkit) -> None:
    report = ("report", str(RECORDED / "session_cache.capture"), "-o", "/nobody/r.html")
    refused(labkit(*report), "/nobody/r.html could not be written.")


def test_a_package_is_found_by_its_folder(labkit: Labkit, tmp_path: Path) -> None:
    (tmp_path / "here" / "billing").mkdir()
    (tmp_path / "here" / "billing" / "__init__.py").write_text("raise RuntimeError('found')")
    outcome = labkit("investigate", "--app", "billing:create_app()", *REQUEST)
    assert "Investigating billing:create_app() ..." in outcome.err
    assert "RuntimeError: found" in outcome.err


def test_a_bundle_can_be_looked_at(labkit: Labkit) -> None:
    outcome = labkit("triage", str(RECORDED / "session_cache.capture"))
    assert (outcome.status, outcome.left_behind()) == (1, [])
    assert "leaky.SESSIONS keeps 1.68 kB per request" in outcome.out
