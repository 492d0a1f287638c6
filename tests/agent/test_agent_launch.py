"""The launcher: says where it listens, who works, why an app does not load; dies with whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from agent_targets import SMALL_APP, Target

from labkit.agent import AGENT_DIR

ASGI_APP = """
kept = []
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    kept.append(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % len(kept)})
"""


@pytest.mark.parametrize(("server", "app"), [("builtin", SMALL_APP), ("gunicorn", SMALL_APP), ("uvicorn", ASGI_APP)])
def test_each_server_serves_the_app_and_its_agent_takes_pictures(target: Target, server: str, app: str) -> None:
    with target.serve(app, server=server) as served:
        assert served.get() == "1"
        assert json.loads((served.run_dir / "listening.json").read_text())["port"] > 0
        assert set(served.worker) == {"pid", "socket", "python", "walker"}
        assert served.worker["python"].startswith(Path(target.python).name.removeprefix("python")[:4])
        served.agent.snapshot(str(target.folder / "x.heap"))
        assert not list(served.run_dir.glob("*.tmp"))
    picture = target.picture()
    assert picture.type_of(picture.follow(picture.root("app"), "kept")) == "list"


@pytest.mark.parametrize("server", ["builtin", "gunicorn"])
def test_an_app_that_cannot_be_loaded_says_why(target: Target, server: str) -> None:
    (target.folder / "broken.py").write_text(
        "try:\n    {}['configuration key']\nexcept KeyError as error:\n    raise RuntimeError('no app') from error\n"
    )
    with target.serve("import broken", server=server) as served:
        said = served.wait_for("worker-*.failed").read_text()
    assert said == f"  File \"{target.folder / 'broken.py'}\", line 2\nKeyError: 'configuration key'"


def test_a_cause_the_app_hid_is_not_told(target: Target) -> None:
    app = """
    try:
        {}["password"]
    except KeyError:
        raise RuntimeError("no database") from None
    """
    with target.serve(app) as served:
        said = served.wait_for("worker-*.failed").read_text()
    assert said == f'  File "{target.folder / "app.py"}", line 5\nRuntimeError: no database'


def test_a_circle_of_causes_ends(target: Target) -> None:
    app = """
    first, second = KeyError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first
    """
    with target.serve(app) as served:
        said = served.wait_for("worker-*.failed").read_text()
    assert said in ("KeyError: 'first'", "ValueError: second")


@pytest.mark.parametrize("server", ["builtin", "gunicorn"])
def test_the_server_dies_with_whoever_started_it(target: Target, server: str) -> None:
    (target.folder / "app.py").write_text(SMALL_APP)
    run_dir = target.folder / "run"
    run_dir.mkdir(mode=0o700)
    command = [target.python, f"{AGENT_DIR}/launch.py", "--run-dir", str(run_dir), "--server", server, "--"]
    command += ["--bind", "127.0.0.1:0", *(["--no-control-socket"] if server == "gunicorn" else []), "app:app"]
    starter = f"import subprocess, time; subprocess.Popen({command!r}); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", starter], cwd=target.folder, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list(run_dir.glob("worker-*[0-9].json")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        worker = json.loads(next(run_dir.glob("worker-*[0-9].json")).read_text())["pid"]
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    while _runs(worker):
        assert time.monotonic() < deadline, "the worker is still there"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def test_an_apps_own_modules_win_over_the_agents_names(target: Target) -> None:
    names = sorted(path.stem for path in Path(AGENT_DIR).glob("*.py") if path.stem != "__init__")
    for name in names:
        (target.folder / f"{name}.py").write_text(f"ORIGIN = 'the app'\nkept_by_{name} = [1]\n")
    app = SMALL_APP + "".join(f"import {name}\nassert {name}.ORIGIN == 'the app', {name}\n" for name in names)
    app += f"import sys\nassert not [each for each in sys.path if each.startswith({AGENT_DIR!r})], sys.path\n"
    with target.serve(app) as served:
        served.get()
        served.agent.snapshot(str(target.folder / "x.heap"))
    picture = target.picture()
    assert picture.type_of(picture.follow(picture.root("walk"), "kept_by_walk")) == "list"


@pytest.mark.parametrize("server", ["builtin", "gunicorn"])
def test_warnings_made_errors_break_no_picture(target: Target, server: str) -> None:
    app = SMALL_APP + textwrap.dedent(
        """
        import threading, warnings
        warnings.simplefilter("error")
        parked = threading.Thread(target=threading.Event().wait, daemon=True)
        parked.start()
        """
    )
    with target.serve(app, server=server, env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning"}) as served:
        served.get()
        assert served.agent.snapshot(str(target.folder / "x.heap"))["ok"]
        log = served.log.read_text()
    assert "Warning" not in log
    assert "fork" not in log


def test_the_agent_uses_the_standard_library_only_and_leaves_sys_path_alone(target: Target) -> None:
    done = target.run(
        """
        import sys
        path = list(sys.path)
        from _labkit_agent import control, client, servers
        print(path == sys.path)
        take("x.heap")
        print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
        """,
        "-I",
    )
    same, others = done.stdout.splitlines()
    assert same == "True"
    assert set(json.loads(others.replace("'", '"'))) <= {"__main__", "_labkit_agent", "launch_of_agent"}
