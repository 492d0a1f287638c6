"""The control socket: private, patient with bad callers, one caller at a time."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_targets import Served, Target

from labkit.agent.client import AgentClient, AgentError

#: Forks on demand, and says in which process a request was answered.
FORKING_APP = """
import os, signal, time
signal.signal(signal.SIGPIPE, signal.SIG_DFL)       # a write to a caller that hung up would kill this process
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/fork":
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        return [b"%d" % child]
    return [b"%d" % os.getpid()]
"""


def _say(path: str, data: bytes, *, wait: bool = True) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        connection.sendall(data)
        if not wait:
            return b""
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.fixture(scope="module")
def served(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that leave it alive."""
    with Target(python, tmp_path_factory.mktemp("served")).serve(FORKING_APP) as found:
        yield found


def test_the_socket_is_for_its_owner_alone(served: Served) -> None:
    path = Path(served.worker["socket"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert served.worker["pid"] == int(served.get())
    assert served.agent.ping() == {"ok": True, "pid": served.worker["pid"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="calling under another uid takes root")
def test_a_caller_of_another_uid_is_refused(served: Served, target: Target) -> None:
    path = served.worker["socket"]
    client = f"""
import socket
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
import os
os.setuid(65534)            # the kernel tells who connected, not who talks
other = socket.socket(socket.AF_UNIX)
try:
    other.connect({path!r})
except PermissionError:
    print("no permission")
"""
    done = subprocess.run([sys.executable, "-c", client], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "no permission"
    # somebody opened the doors: the agent itself still refuses
    for place in (Path(path), *Path(path).parents):
        if Path(tempfile.gettempdir()) in place.parents:
            place.chmod(0o777)
    talk = f"""
import os, socket
os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
connection.sendall(b'{{"op": "ping"}}\\n')
print(connection.makefile().read())
"""
    done = subprocess.run([sys.executable, "-c", talk], capture_output=True, text=True, timeout=60, check=False)
    if "PermissionError" in done.stderr:
        pytest.skip("a folder above the tests' own keeps other users out already")
    assert json.loads(done.stdout) == {"ok": False, "error": "caller has another uid"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00\xff\xfe garbage\n", "DecodeError"),
        (b"not json\n", "JSONDecodeError"),
        (b"[]\n", "TypeError"),
        (b"{}\n", "KeyError"),
        (b'{"op": "no_such"}\n', "KeyError: 'no_such'"),
        (b'{"op": "snapshot"}\n', "KeyError: 'path'"),
        (b'{"op": "snapshot", "path": 7}\n', "TypeError"),
        (b'{"op": "snapshot", "path": "/tmp", "deadline_s": "soon"}\n', "ValueError"),
        (b'{"op": "snapshot", "path": "/proc/no/such/x.heap"}\n', "FileNotFoundError"),
        (b'{"op": "trace_start", "frames": -1}\n', "ValueError"),
        (b"x" * 300_000, "JSONDecodeError"),
        (b"", "JSONDecodeError"),
    ],
)
def test_a_bad_request_gets_an_answer_and_the_agent_goes_on(served: Served, data: bytes, words: str) -> None:
    answer = json.loads(_say(served.worker["socket"], data))
    assert answer["ok"] is False
    assert words in answer["error"]
    assert served.agent.ping()["ok"]


def test_callers_who_hang_up_do_no_harm(served: Served, tmp_path: Path) -> None:
    path = served.worker["socket"]
    for data in (b"", b'{"op": "pi', b'{"op": "ping"}\n', b'{"op": "stats"}\n'):
        _say(path, data, wait=False)
    _say(path, json.dumps({"op": "snapshot", "path": str(tmp_path / "x.heap")}).encode() + b"\n", wait=False)
    assert served.agent.ping()["ok"]
    assert served.process.poll() is None


def test_two_callers_at_once_are_served_one_after_the_other(served: Served, tmp_path: Path) -> None:
    answers = {}

    def ask(number: int) -> None:
        answers[number] = AgentClient(served.worker["socket"]).snapshot(str(tmp_path / f"{number}.heap"))

    callers = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(answers) == [0, 1]
    assert all(answer["ok"] and answer["nodes"] > 10_000 for answer in answers.values())
    assert {each.name for each in tmp_path.iterdir()} == {"0.heap", "1.heap"}


def test_an_answer_says_what_the_picture_cost(served: Served, tmp_path: Path) -> None:
    cost = served.agent.snapshot(str(tmp_path / "x.heap"), 30)
    assert set(cost) == {"ok", "pause_ms", "duration_s", "child_peak_bytes", "nodes", "edges"}
    assert 0 < cost["pause_ms"] < cost["duration_s"] * 1000
    assert cost["child_peak_bytes"] > 1 << 20


def test_statistics_and_errors_reach_the_client(served: Served, tmp_path: Path) -> None:
    assert served.agent.stats()["allocated_blocks"] > 10_000
    with pytest.raises(AgentError, match="FileNotFoundError"):
        served.agent.snapshot(str(tmp_path / "no" / "x.heap"))
    with pytest.raises(AgentError, match="got no answer"):
        AgentClient(str(tmp_path / "nobody.sock")).ping()


def test_a_process_the_app_forks_does_not_answer_for_it(target: Target) -> None:
    with target.serve(FORKING_APP) as served:
        child = int(served.get("/fork"))
        try:
            assert served.agent.ping()["pid"] == served.worker["pid"]
            served.process.kill()
            served.process.wait()
            with pytest.raises(AgentError):
                AgentClient(served.worker["socket"])._ask({"op": "ping"}, timeout_s=1)
        finally:
            os.kill(child, 9)
