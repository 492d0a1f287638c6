"""How the agent gets into the workers of each server, and how each says where it listens."""

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback

from . import AGENT_DIR, control

PR_SET_PDEATHSIG = 1
#: Folders in the path of a file that is not the app's.
OTHERS = {"site-packages", "dist-packages", f"python{sys.version_info[0]}.{sys.version_info[1]}"}


def die_with_parent():
    """Have the kernel kill this process when the one that started it ends (Linux; prctl(2))."""
    parent = os.getppid()
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        os._exit(1)


def run_dir():
    """The private folder that driver and workers share."""
    return os.environ["LABKIT_RUN_DIR"]


def say(name, facts):
    """Put a small JSON or text file into the run folder, complete or not at all."""
    path = os.path.join(run_dir(), name)
    with open(path + ".tmp", "w", encoding="utf-8", errors="replace") as stream:
        stream.write(facts if isinstance(facts, str) else json.dumps(facts))
    os.replace(path + ".tmp", path)


def say_listening(host, port):
    """Tell the driver which address was bound."""
    say("listening.json", {"host": host, "port": port})


def say_failed(error):
    """Tell the driver why the app did not load: the last line of the innermost cause, and the app's line before it."""
    seen = []
    while error is not None and not any(error is one for one in seen):
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    error = seen[-1]
    where = "" if isinstance(error, SyntaxError | ImportError) else _own_line(error.__traceback__)
    say(f"worker-{os.getpid()}.failed", where + "".join(traceback.format_exception_only(error)).strip())


def _own_line(trace):
    """The last line of the app's own that the error came through, as tracebacks say it; empty where there is none."""
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    own = [
        (file, line)
        for file, line in lines
        if file.endswith(".py") and not file.startswith(AGENT_DIR) and OTHERS.isdisjoint(file.split(os.sep))
    ]
    return '  File "{}", line {}\n'.format(*own[-1]) if own else ""


def run_gunicorn(arguments):
    """Hand over to Gunicorn with our hooks as its configuration file."""
    from gunicorn.app.wsgiapp import run

    sys.argv = ["gunicorn", "-c", os.path.join(AGENT_DIR, "gunicorn_hooks.py"), *arguments]
    run()


def run_uvicorn(arguments):
    """Run one Uvicorn worker in this process: ``--bind HOST:PORT [--chdir DIR] MODULE:APP``."""
    import uvicorn

    options, spec = _parse(arguments)
    host, port = options["--bind"].rsplit(":", 1)
    config = uvicorn.Config(_load(spec), host=host, port=int(port), log_level="warning")
    listener = config.bind_socket()
    control.start(run_dir())
    say_listening(host, listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])


def run_builtin(arguments):
    """Run the standard library's WSGI server, one thread per connection."""
    import socketserver
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    class Threaded(socketserver.ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Quiet(WSGIRequestHandler):
        log_message = _log_nothing

    for kind in (Threaded, Quiet):  # the app's server is part of the picture, the agent is not
        kind.__module__, kind.__qualname__ = "wsgiref.simple_server", f"{kind.__name__}WSGIServer"

    options, spec = _parse(arguments)
    host, port = options["--bind"].rsplit(":", 1)
    app = _load(spec)
    server = make_server(host, int(port), app, server_class=Threaded, handler_class=Quiet)
    control.start(run_dir())
    say_listening(host, server.server_address[1])
    server.serve_forever()


def _log_nothing(*_):
    """Take the place of a method that writes to standard error."""


def _parse(arguments):
    options = dict(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))
    return options, arguments[-1]


def _load(spec):
    """Import MODULE:APP as Gunicorn would; on failure say why in the run folder and leave."""
    module_name, _, attribute = spec.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module_name), attribute.removesuffix("()"))
        return found() if attribute.endswith("()") else found
    except BaseException as error:
        traceback.print_exc()
        say_failed(error)
        raise SystemExit(3) from None


RUNNERS = {"gunicorn": run_gunicorn, "uvicorn": run_uvicorn, "builtin": run_builtin}
