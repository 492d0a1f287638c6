"""Gunicorn's configuration file with an agent in each worker: ``gunicorn -c labkit_gunicorn.py app:app``.

The app's own configuration is read first: the file that ``LABKIT_GUNICORN_CONF`` names, else
``gunicorn.conf.py`` in the current folder. Or the other way round, in that file:
``from labkit_gunicorn import post_worker_init``.
"""

import os
import runpy
import sys

_here = os.path.dirname(os.path.abspath(__file__))
_theirs = os.environ.get("LABKIT_GUNICORN_CONF") or os.path.abspath("gunicorn.conf.py")
if __name__ != "labkit_gunicorn" and os.path.exists(_theirs):
    globals().update({name: value for name, value in runpy.run_path(_theirs).items() if not name.startswith("__")})
_their_post_worker_init = globals().get("post_worker_init")


def post_worker_init(worker):
    """The app is loaded and Gunicorn has set its signal handlers: the agent may start."""
    if _their_post_worker_init is not None:
        _their_post_worker_init(worker)
    if _here not in sys.path:
        sys.path.append(_here)
    from _labkit_agent.start import start

    start()
