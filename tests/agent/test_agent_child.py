"""The forked child: it finalizes nothing, disturbs no peer, never stays, and leaves a whole file or none."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from agent_targets import SMALL_APP, Target, unpacked

FINALIZERS = """
import contextvars, gc, os, sys, threading
class Tell:
    def __init__(self, who):
        self.who = who
    def __del__(self):
        fd = os.open("mark", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(fd, f"{self.who} in {'worker' if os.getpid() == worker else 'child'}\\n".encode())
        os.close(fd)
class TellUntracked(Tell):
    __slots__ = ()
class TellError(Exception, Tell):
    __del__ = Tell.__del__
class Atom:
    __slots__ = ()
    who = "untracked in a local"
    __del__ = Tell.__del__
worker = os.getpid()
local, variable = threading.local(), contextvars.ContextVar("variable")
class Sub(threading.local):
    pass
sub = Sub()
parked, ready = threading.Event(), threading.Semaphore(0)
def work():
    in_frame = Tell("frame")
    local.own = Tell("threading.local")
    local.atom = Atom()
    sub.own = Tell("subclass of threading.local")
    variable.set(Tell("context"))
    try:
        raise TellError("handled exception")
    except TellError as error:
        error.who = "handled exception"
        del error
        ready.release()
        parked.wait()
def work_in_generator():
    def generate():
        try:
            raise TellError("x")
        except TellError as error:
            error.who = "exception handled in a generator"
            del error
            ready.release()
            parked.wait()
            yield
    try:
        raise TellError("outer")
    except TellError as error:
        error.who = "exception handled around a generator"
        del error
        for _ in generate():
            pass
def unnamed(thing):
    ready.release()
    parked.wait()
def work_with_temporaries():
    unnamed([Tell("temporary")])
targets = (work, work, work_in_generator, work_with_temporaries)
threads = [threading.Thread(target=target) for target in targets]
for thread in threads:
    thread.start()
for thread in threads:
    ready.acquire()
garbage = [Tell("garbage")]
garbage.append(garbage)
gc.disable()
del garbage
"""


@pytest.mark.parametrize("frozen", [False, True], ids=["", "frozen heap"])
def test_no_finalizer_runs_in_the_child(target: Target, frozen: bool) -> None:
    target.run(
        FINALIZERS
        + ("gc.freeze()\n" if frozen else "")
        + """
for _ in range(3):
    take("x.heap")
said = os.path.exists("mark")
os._exit(said)
"""
    )
    seen = target.picture().snapshot.types
    assert {"__main__.Tell", "__main__.TellError", "__main__.Atom"} <= set(seen)


def test_those_finalizers_do_speak(target: Target) -> None:
    target.run(FINALIZERS + "gc.enable(); parked.set()\nfor thread in threads: thread.join()\ngc.collect()\n")
    said = (target.folder / "mark").read_text()
    for who in ("frame", "threading.local", "context", "handled exception", "temporary", "garbage", "untracked"):
        assert f"{who}" in said


def test_a_peer_sees_nothing_and_descriptors_stay_usable(target: Target) -> None:
    done = target.run(
        """
        import json, os, select, socket, threading
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        served, _ = server.accept()
        ours, theirs = socket.socketpair()
        with open("log", "w") as log:
            log.write("in the buffer ")
            stop = threading.Event()
            heard = []
            def listen():
                poll = select.poll()
                for each in (client, theirs):
                    poll.register(each, select.POLLIN | select.POLLHUP | select.POLLRDHUP)
                while not stop.is_set():
                    heard.extend(poll.poll(20))
            listener = threading.Thread(target=listen); listener.start()
            for _ in range(5):
                take("x.heap")
            stop.set(); listener.join()
            log.write("once")
        served.sendall(b"still here"); ours.sendall(b"and here")
        print(json.dumps([heard, client.recv(99).decode(), theirs.recv(99).decode(), open("log").read()]))
        """
    )
    assert json.loads(done.stdout) == [[], "still here", "and here", "in the buffer once"]


def test_a_late_child_is_ended_and_leaves_nothing(target: Target) -> None:
    done = target.run(
        """
        import json, os, threading
        many = [[i] for i in range(100_000)]
        try:
            take("late.heap", 0.02)
        except TimeoutError as error:
            print(error)
        def children():
            return open(f"/proc/self/task/{os.getpid()}/children").read()
        print(repr(children()), os.listdir("."))
        take("x.heap")
        """
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "the walk took longer than 0.02 s and was ended"
    assert lines[1] == "'' ['target.py']"


def test_an_orphaned_child_ends_by_its_own_alarm(target: Target) -> None:
    """The worker is killed while its child cannot go on: the child has to end by itself."""
    done = target.run(
        """
        import os, signal, sys, time, threading
        from _labkit_agent import walk
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})      # as some servers do in their threads
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        walk.walk = lambda *arguments: time.sleep(1000)
        thread = threading.Thread(target=take, args=("x.heap", 1), daemon=True)
        thread.start()
        path = f"/proc/self/task/{os.getpid()}/children"
        while True:
            found = "".join(open(f"/proc/self/task/{task}/children").read() for task in os.listdir("/proc/self/task"))
            if found: break
        print(found.split()[0], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        check=False,
    )
    child = int(done.stdout)
    deadline = time.monotonic() + 30
    while _runs(child):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:  # noqa: PTH123
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_dies_is_an_error_and_leaves_nothing(target: Target) -> None:
    done = target.run(
        """
        import os
        from _labkit_agent import walk
        walk.walk = lambda *arguments: os.kill(os.getpid(), 9)
        try:
            take("x.heap")
        except RuntimeError as error:
            print(error, os.listdir("."))
        """
    )
    words = "the child was ended by signal 9 (SIGKILL) while it walked; the kernel may be short of memory"
    assert done.stdout.strip() == f"{words} ['target.py']"


def test_a_child_that_only_leaves_is_an_error_too(target: Target) -> None:
    done = target.run(
        """
        import os
        from _labkit_agent import walk
        walk.walk = lambda *arguments: os._exit(0)
        try:
            take("x.heap")
        except RuntimeError as error:
            print(error, os.listdir("."))
        """
    )
    assert done.stdout.strip() == "the child ended without a word ['target.py']"


def test_a_child_forked_by_the_program_meanwhile_delays_nothing(target: Target) -> None:
    done = target.run(
        """
        import os, threading, time
        from _labkit_agent import snapshot
        listen = snapshot._listen
        def fork_then_listen(*arguments):
            global other
            other = os.fork()          # inherits the pipe on which the walking child speaks
            if other == 0:
                time.sleep(60)
                os._exit(0)
            return listen(*arguments)
        # the program's fork happens while the pipe's writing end is still open
        closing = os.close
        snapshot._listen = fork_then_listen
        try:
            take("x.heap", 20)
            print("done")
        finally:
            os.kill(other, 9); os.waitpid(other, 0)
        """
    )
    assert done.stdout.strip() == "done"


@pytest.mark.parametrize(
    ("limit", "path", "words"),
    [
        ("", "no/such/folder/x.heap", "FileNotFoundError"),
        ("resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))", "x.heap", "OSError: [Errno 27]"),
    ],
)
def test_what_cannot_be_written_is_an_error_and_leaves_nothing(
    target: Target, limit: str, path: str, words: str
) -> None:
    done = target.run(
        f"""
        import os, resource
        {limit}
        try:
            take({path!r})
        except RuntimeError as error:
            print(error)
        print(os.listdir("."))
        """
    )
    assert words in done.stdout
    assert done.stdout.splitlines()[-1] == "['target.py']"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_full_disk_is_an_error_and_leaves_nothing(target: Target) -> None:
    done = target.run(
        """
        import ctypes, os, sys
        os.mkdir("small")
        libc = ctypes.CDLL(None, use_errno=True)
        CLONE_NEWNS = 0x20000
        if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, 0x44000, None):
            print("no mount"); sys.exit()
        if libc.mount(b"tmpfs", b"small", b"tmpfs", 0, b"size=64k"):
            print("no mount"); sys.exit()
        try:
            take("small/x.heap")
        except RuntimeError as error:
            print(error)
        print(os.listdir("small"))
        """
    )
    if done.stdout.strip() == "no mount":
        pytest.skip("this machine lets nobody mount a small file system")
    assert "No space left on device" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_interpreter_with_another_layout_of_objects_is_refused(target: Target) -> None:
    done = target.run(
        """
        import os
        from _labkit_agent import memory
        print(memory.IS_KNOWN)
        memory.IS_KNOWN = False
        try:
            take("x.heap")
        except RuntimeError as error:
            print(error, os.listdir("."))
        """
    )
    known, refusal = done.stdout.splitlines()
    assert known == "True"
    assert refusal.endswith("lays out objects in a way this agent does not know ['target.py']")


def test_no_descriptor_is_lost_when_the_kernel_refuses_to_fork(target: Target) -> None:
    done = target.run(
        """
        import os
        from _labkit_agent import snapshot
        def refuse():
            raise OSError(11, "no more processes")
        snapshot.fork = refuse
        before = os.listdir("/proc/self/fd")
        try:
            take("x.heap")
        except OSError as error:
            print(error.errno, os.listdir("/proc/self/fd") == before)
        """
    )
    assert done.stdout.split() == ["11", "True"]


def test_a_busy_threaded_program_is_photographed_again_and_again(target: Target) -> None:
    """Threads that come, go, raise and catch while the child is made; none of the pictures may fail."""
    target.run(
        """
        import threading
        stop = threading.Event()
        def fail(depth):
            local = [depth]
            if depth: fail(depth - 1)
            raise LookupError(depth)
        kept = []
        def work():
            while not stop.is_set():
                try:
                    fail(5)
                except LookupError as error:
                    kept.append(error.__traceback__); del kept[:-5]
        def spawn():
            while not stop.is_set():
                short = threading.Thread(target=sum, args=([1],)); short.start(); short.join()
        threads = [threading.Thread(target=each) for each in (work, work, spawn)]
        for thread in threads: thread.start()
        try:
            for number in range(4):
                take("x.heap", 30)
        finally:
            stop.set()
        """
    )
    assert target.picture().snapshot.node_count > 5000


def test_the_agent_is_not_in_its_own_picture(target: Target) -> None:
    with target.serve(SMALL_APP) as served:
        served.agent.trace_start(25)
        served.get()
        for _ in range(2):
            served.agent.snapshot(str(target.folder / "x.heap"))
    picture = target.picture()
    assert picture.type_of(picture.follow(picture.root("app"), "kept")) == "list"
    text = unpacked(target.folder / "x.heap").replace(b'"format": "labkit.heap"', b"").lower()
    for word in (b"labkit", b"agent/", b"worker-", b"launch.py", b"run_builtin"):
        assert word not in text, word


def test_pictures_of_an_idle_process_are_alike(target: Target) -> None:
    # garbage that the worker's own collector takes away in between would be a difference too
    with target.serve("import gc" + SMALL_APP.replace("kept.append", "gc.collect(); kept.append")) as served:
        served.get()
        path = str(target.folder / "x.heap")
        served.agent.snapshot(path)
        while len(list(Path(f"/proc/{served.worker['pid']}/task").iterdir())) > 2:
            time.sleep(0.01)  # the request's own thread is on its way out
        counts = [served.agent.snapshot(path)["nodes"] for _ in range(5)]
    assert max(counts) - min(counts) <= 5, counts
