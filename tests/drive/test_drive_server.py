"""Real servers: what they serve, what they leave, and what is said when they do not start."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from labkit.drive import RecordOptions
from labkit.drive.command import AppModule, command_line, environment_for, locate_app
from labkit.drive.exchange import Connection
from labkit.drive.load import Players
from labkit.drive.server import Server
from labkit.drive.visits import Request, Script
from labkit.errors import AppNotReady, CaptureError, PortTaken, WorkerDied

BUILTIN = RecordOptions(server="builtin")
GUNICORN = RecordOptions()
GTHREAD = RecordOptions(worker_class="gthread", threads=3)

ANSWERS = """
    import os

    def app(environ, start_response):
        body = repr({FACTS}).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
"""


def ask(server, path="/x"):
    connection = Connection(server.address, 10)
    try:
        answer = connection.ask(Request("GET", "GET", path, None, {}))
        assert answer is not None
        return answer.body_start.decode()
    finally:
        connection.close()


@pytest.mark.parametrize("options", [BUILTIN, GUNICORN, GTHREAD, RecordOptions(workers=2)], ids=str)
def test_each_server_serves_and_leaves_nothing(make_target, tmp_path, short_tmp, is_gone, options):
    target = make_target()
    with Server(target, options, tmp_path / "log") as server:
        assert ask(server) == "ok"
        assert len(server.workers) == options.workers
        assert [worker.agent.ping()["pid"] for worker in server.workers] == [w.pid for w in server.workers]
        server.check()
        run_dir, *_ = short_tmp.iterdir()
        assert run_dir.stat().st_mode & 0o777 == 0o700
        pids = [child.pid for child in psutil.Process().children(recursive=True)]
        assert os.getpgid(pids[0]) == pids[0] != os.getpgid(0)
    assert pids
    assert all(is_gone(pid) for pid in pids)
    assert list(short_tmp.iterdir()) == []
    assert sorted(path.name for path in target.app_file.parent.iterdir()) == ["shop.py"]


def test_gthread_keeps_connections_alive(make_target, tmp_path):
    target = make_target(ANSWERS.replace("{FACTS}", "environ['REMOTE_PORT']"), requests_per_rung=30)
    with Server(target, GTHREAD, tmp_path / "log") as server:
        connection = Connection(server.address, 10)
        request = Request("GET", "GET", "/x", None, {})
        ports = {connection.ask(request).body_start for _ in range(20)}
        connection.close()
        script = Script(target.load)
        with Players(server.address, script, first_visit=0, visits=60, concurrency=3, timeout_s=10) as players:
            tally = players.drain(server.check)
    assert len(ports) == 1
    assert (tally.requests, tally.lost) == (60, 0)


def test_the_environment_is_settled(make_target, tmp_path, monkeypatch):
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 3")
    monkeypatch.setenv("PYTHONTRACEMALLOC", "5")
    names = "[os.environ.get(name) for name in ('PYTHONHASHSEED', 'PYTHONTRACEMALLOC', 'GUNICORN_CMD_ARGS')]"
    target = make_target(ANSWERS.replace("{FACTS}", names), seed=7)
    with Server(target, GUNICORN, tmp_path / "log") as server:
        assert ask(server) == "['7', None, None]"
        assert len(server.workers) == 1
    assert environment_for(2**32 + 5)["PYTHONHASHSEED"] == "5"


def test_a_gunicorn_configuration_beside_the_app_is_not_used(make_target, tmp_path):
    target = make_target()
    (target.app_file.parent / "gunicorn.conf.py").write_text("raise RuntimeError('used')")
    with Server(target, GUNICORN, tmp_path / "log") as server:
        assert ask(server) == "ok"


@pytest.mark.parametrize("options", [BUILTIN, GUNICORN], ids=["builtin", "gunicorn"])
def test_an_app_in_a_package_is_imported_as_part_of_it(make_target, tmp_path, options):
    factory = """
        from . import words

        def create_app():
            def app(environ, start_response):
                start_response("200 OK", [("Content-Length", "5")])
                return [words.HELLO]
            return app
    """
    target = make_target(factory, file="firm/web/api.py", name="create_app()")
    for folder in ("firm", "firm/web"):
        (tmp_path / "served" / folder / "__init__.py").touch()
    (target.app_file.parent / "words.py").write_text("HELLO = b'hello'")
    assert locate_app(target) == AppModule(tmp_path / "served", "firm.web.api", "create_app()")
    with Server(target, options, tmp_path / "log") as server:
        assert ask(server) == "hello"


def test_the_control_socket_is_switched_off_where_there_is_one():
    app = AppModule(Path("/srv"), "shop", "app")
    known = command_line("python", Path("/run"), app, GUNICORN, frozenset({"--no-control-socket", "--bind"}))
    older = command_line("python", Path("/run"), app, GUNICORN, frozenset({"--bind"}))
    assert "--no-control-socket" in known
    assert [word for word in known if word != "--no-control-socket"] == older


def test_a_long_temporary_folder_is_not_used_for_sockets(make_target, tmp_path, monkeypatch):
    import tempfile

    deep = tmp_path / ("d" * 80)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with Server(make_target(), BUILTIN, tmp_path / "log") as server:
        assert len(server.workers[0].agent.socket_path) < 100


# What is said when it does not start


def fails(target, options, tmp_path, kind=AppNotReady):
    before = set(psutil.Process().children())
    with pytest.raises(kind) as told, Server(target, options, tmp_path / "log"):
        pass
    assert set(psutil.Process().children()) == before
    return told.value


def test_no_such_interpreter(make_target, tmp_path):
    error = fails(make_target(), RecordOptions(python="/nowhere/python"), tmp_path)
    assert error.what == "There is no interpreter /nowhere/python."
    assert error.hint == "--python PATH of a Python that runs the app, or of its virtual environment"


def test_the_folder_of_a_virtual_environment_will_do(make_target, tmp_path, bare_python):
    folder = str(Path(bare_python).parent.parent)
    with Server(make_target(), RecordOptions(python=folder, server="builtin"), tmp_path / "log") as server:
        assert ask(server) == "ok"


def test_an_interpreter_that_is_none(make_target, tmp_path):
    error = fails(make_target(), RecordOptions(python="/bin/true"), tmp_path)
    assert error.what == "/bin/true is no Python that can serve an app."


def test_an_interpreter_without_gunicorn(make_target, tmp_path, bare_python):
    error = fails(make_target(), RecordOptions(python=bare_python), tmp_path)
    assert error.what.endswith("has no usable gunicorn.")
    assert error.seen == "ModuleNotFoundError: No module named 'gunicorn'"
    assert error.hint.startswith("install gunicorn for ")


def test_an_interpreter_without_falcon(make_target, tmp_path, bare_python):
    error = fails(make_target("import falcon"), RecordOptions(python=bare_python, server="builtin"), tmp_path)
    assert error.what == "The app in shop.py does not import."
    assert error.seen == "ModuleNotFoundError: No module named 'falcon'"
    assert error.hint.startswith("install falcon for ")


def test_an_interpreter_with_nothing_installed_can_serve(make_target, tmp_path, bare_python):
    with Server(make_target(), RecordOptions(python=bare_python, server="builtin"), tmp_path / "log") as server:
        assert ask(server) == "ok"
    assert set(server.interpreter.versions) == {"python"}


def test_no_such_app_file(make_target, tmp_path):
    target = make_target()
    target.app_file.unlink()
    assert fails(target, GUNICORN, tmp_path).what.startswith("There is no app file ")


def test_a_file_name_that_is_no_module(make_target, tmp_path):
    assert "cannot be imported under that name" in fails(make_target(file="my.shop.py"), GUNICORN, tmp_path).what


@pytest.mark.parametrize("options", [BUILTIN, GUNICORN], ids=["builtin", "gunicorn"])
@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("raise RuntimeError('no database')", "RuntimeError: no database (shop.py, line 1)"),
        ("import os\ndef app(:", "SyntaxError: invalid syntax (shop.py, line 2)"),
        ("import sys; sys.exit(5)", "SystemExit: 5"),
    ],
    ids=["raises", "syntax", "exits"],
)
def test_an_app_that_does_not_import(make_target, tmp_path, options, source, seen):
    error = fails(make_target(source), options, tmp_path)
    assert error.what == "The app in shop.py does not import."
    assert seen in error.seen


def test_a_factory_that_fails_goes_by_its_line(make_target, tmp_path):
    source = "import json\ndef create_app():\n    return json.loads('{')\n"
    target = make_target(source).model_copy(update={"app_name": "create_app()"})
    error = fails(target, BUILTIN, tmp_path)
    assert error.what == "create_app() in shop.py makes no app."
    assert error.seen.endswith("(shop.py, line 3)")
    assert error.seen.startswith("json.decoder.JSONDecodeError: ")
    assert error.hint == "mend the line that is named"


@pytest.mark.parametrize("options", [BUILTIN, GUNICORN], ids=["builtin", "gunicorn"])
def test_no_such_name_in_the_file(make_target, tmp_path, options):
    source = "SIZE = 3\nmy_api = lambda environ, start: []\ndef create_app(): return my_api\ndef other(a): pass"
    error = fails(make_target(source), options, tmp_path)
    assert error.what == "shop.py has no 'app'."
    assert error.seen == "AttributeError: module 'shop' has no attribute 'app'"
    assert error.hint == "--app 'shop.py:NAME' with one of create_app(), my_api"


def test_no_such_name_in_a_package(make_target, tmp_path):
    error = fails(make_target("def create_app(): pass", file="firm/shop/__init__.py"), BUILTIN, tmp_path)
    assert error.hint == "--app 'shop:NAME' with one of create_app()"


def test_a_name_that_is_no_app(make_target, tmp_path):
    error = fails(make_target("app = 5\ndef create_app(): pass"), GUNICORN, tmp_path)
    assert error.what == "app in shop.py is no app: it cannot be called."
    assert error.hint == "--app 'shop.py:NAME' with one of create_app(), app"


def test_a_file_hidden_by_a_module_of_python(make_target, tmp_path):
    error = fails(make_target(file="queue.py"), GUNICORN, tmp_path)
    assert error.what == "queue.py has no 'app'."
    assert error.hint == "queue is a module of Python itself: give the file another name"


@pytest.mark.parametrize("options", [BUILTIN, GUNICORN], ids=["builtin", "gunicorn"])
def test_an_app_that_does_not_come_up_in_time(make_target, tmp_path, options):
    source = "import time\nprint('waiting for the database', flush=True)\ntime.sleep(100)"
    impatient = RecordOptions(server=options.server, start_timeout_s=1)
    error = fails(make_target(source), impatient, tmp_path)
    assert error.what == "The server did not come up within 1 s."
    assert "waiting for the database" in error.seen


def test_an_app_that_kills_its_server(make_target, tmp_path):
    error = fails(make_target("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"), BUILTIN, tmp_path)
    assert error.what == "The server ended before it served the app."
    assert "killed by SIGSEGV" in error.seen


def test_a_port_that_is_taken(make_target, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = fails(make_target(), RecordOptions(port=port), tmp_path, PortTaken)
    assert error.what == f"Port {port} is taken."
    assert "--port" in error.hint


def test_a_port_that_is_free(make_target, tmp_path, free_port):
    with Server(make_target(), RecordOptions(port=free_port), tmp_path / "log") as server:
        assert server.address == ("127.0.0.1", free_port)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"server": "builtin", "workers": 2}, {"port": 70000}])
def test_choices_that_cannot_be(wrong):
    with pytest.raises(CaptureError):
        RecordOptions(**wrong)


# Watching and ending


def test_a_worker_that_dies_is_told_with_the_server_s_word(make_target, tmp_path):
    with Server(make_target(), GUNICORN, tmp_path / "log") as server:
        os.kill(server.workers[0].pid, signal.SIGKILL)
        server.workers[0].process.wait()
        with pytest.raises(WorkerDied, match=r"Worker \d+ died while it was being measured") as told:
            server.check()
    assert "SIGKILL" in told.value.seen


def test_a_server_that_dies_is_told(make_target, tmp_path, eventually, is_gone):
    with Server(make_target(), BUILTIN, tmp_path / "log") as server:
        os.kill(server.workers[0].pid, signal.SIGKILL)
        eventually(lambda: is_gone(server.workers[0].pid))
        with pytest.raises(WorkerDied) as told:
            server.check()
    assert "killed by SIGKILL" in told.value.seen


def test_what_ignores_sigterm_or_leaves_the_group_is_ended_too(make_target, tmp_path, is_gone, eventually):
    source = """
        import os, signal, subprocess, sys, time
        stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
        ours = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

        def app(environ, start_response):
            start_response("200 OK", [])
            return [b"%d %d" % (stray.pid, ours.pid)]
    """
    with Server(make_target(source), BUILTIN, tmp_path / "log") as server:
        pids = [int(pid) for pid in ask(server).split()] + [server.workers[0].pid]
        assert not any(is_gone(pid) for pid in pids)
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_two_servers_share_a_log_and_each_tells_its_own(make_target, tmp_path):
    fails(make_target("raise SystemExit('first')"), BUILTIN, tmp_path)
    source = "import os; print('second', flush=True); os._exit(3)"
    error = fails(make_target(source), BUILTIN, tmp_path)
    assert error.seen == "exit status 3; its last output: second"
    assert "first" in (tmp_path / "log").read_text()


def test_entering_interrupted_leaves_nothing(make_target, tmp_path, repository, short_tmp):
    """SIGINT while the app is being imported."""
    target = make_target("import os, signal, time\nos.kill(int(os.environ['DRIVER']), signal.SIGINT)\ntime.sleep(100)")
    script = f"""
import os, sys
from pathlib import Path
os.environ["DRIVER"] = str(os.getpid())
from labkit.cases import Target
from labkit.drive import RecordOptions
from labkit.drive.server import Server
import psutil
target = Target.model_validate_json({target.model_dump_json()!r})
try:
    with Server(target, RecordOptions(server="builtin"), Path({str(tmp_path / "log")!r})):
        print("served")
except KeyboardInterrupt:
    print("interrupted", psutil.Process().children(recursive=True))
"""
    import sys

    done = subprocess.run([sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=False)
    assert done.stdout == "interrupted []\n", done.stderr
    assert list(short_tmp.iterdir()) == []
