"""Put an agent into this process, and into those it forks. Nothing here may hurt or end the app.

Servers differ in when they fork: before the app is loaded (Gunicorn, uWSGI with ``lazy-apps``), after
(``preload``, uWSGI), or not at all (Uvicorn, which spawns). Whatever the order, each process has an agent of
its own: one that a child inherits has no thread there, and is put away.
"""

import os
import sys

from . import AGENT_DIR, compiled, control, fork, place

_started: dict[int, control.Control] = {}  # pid of this process: its Control; at most one entry
_following: list[tuple[str, int]] = []  # folder and signal, once forks are followed


def start(folder=None, *, signal_number=None, tell=None):
    """Serve this process's agent in ``folder`` (default: ``place.agent_folder()``); a second call does nothing.

    ``signal_number``, or ``LABKIT_AGENT_SIGNAL``: a signal that has a snapshot written into the folder, for
    when the socket cannot be reached; to be given in the main thread. Never raises: when there can be no agent
    one line on standard error says why, or ``tell`` is called with the error.
    """
    try:
        folder = os.path.abspath(folder or place.agent_folder())
        number = signal_number or int(os.environ.get("LABKIT_AGENT_SIGNAL") or 0)
        if not _following:
            _following.append((folder, number))
            os.register_at_fork(after_in_child=_after_fork)
        uwsgi = sys.modules.get("uwsgi")
        if uwsgi is not None and uwsgi.worker_id() == 0:
            _start_in_workers_of(uwsgi)
        else:
            _start_here()
    except Exception as error:
        (tell or _tell)(error)


def _start_here():
    pid = os.getpid()
    if pid in _started:
        return
    for inherited in _started.values():
        inherited.put_away()
    _started.clear()
    folder, number = _following[0]
    place.make_private(folder)
    if not compiled.is_loaded():
        _load_walker()
    _started[pid] = control.start(folder, keep=True, signal_number=number)


def _after_fork():
    if fork.is_walking():
        return  # this is the child that takes a picture
    try:
        _start_here()
    except Exception as error:
        _tell(error)


def _start_in_workers_of(uwsgi):
    """uWSGI's master forks without telling the interpreter, and calls one hook in each worker."""
    before = getattr(uwsgi, "post_fork_hook", None)

    def post_fork_hook():
        _after_fork()
        if before is not None:
            before()

    uwsgi.post_fork_hook = post_fork_hook


def _load_walker():
    """The compiled walker, where ``labkit agent`` built one for this interpreter."""
    from _imp import extension_suffixes

    path = os.path.join(AGENT_DIR, "_walker" + extension_suffixes()[0])
    if os.path.exists(path):
        compiled.load(path)


def _tell(error):
    words = f"labkit: no agent in process {os.getpid()}: {type(error).__name__}: {error}\n"
    try:
        os.write(2, words.encode("utf-8", "replace"))
    except OSError:
        pass
