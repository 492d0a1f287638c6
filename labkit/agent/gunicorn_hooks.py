"""Gunicorn's configuration file for a measured run; it only passes on to the agent."""

import sys

from _labkit_agent import control, own, servers

own.add_module(sys.modules[__name__])


def when_ready(server):
    """Say which port was bound; port 0 means any free one."""
    host, port = server.LISTENERS[0].sock.getsockname()[:2]
    servers.say_listening(host, port)


def post_fork(server, worker):
    """A worker must not outlive its arbiter, not even after SIGKILL."""
    servers.die_with_parent()


def post_worker_init(worker):
    """The app is loaded; Gunicorn has set its signal handlers; the agent may start."""
    control.start(servers.run_dir())


def worker_exit(server, worker):
    """Say why the app could not be loaded, if that is why the worker ends."""
    error = sys.exc_info()[1]
    if error is not None and not getattr(worker, "booted", True):
        servers.say_failed(error)
