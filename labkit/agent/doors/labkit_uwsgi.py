"""For uWSGI: ``--import labkit_uwsgi.py`` (or ``UWSGI_IMPORT`` in the environment), with or without ``lazy-apps``."""

import os
import sys

import uwsgi  # type: ignore[import-untyped]

_here = os.path.dirname(os.path.abspath(__file__))
if _here not in sys.path:
    sys.path.append(_here)
if not uwsgi.opt.get("enable-threads") and not uwsgi.opt.get("threads"):
    os.write(2, b"labkit: uWSGI runs without enable-threads; the agent answers only while requests are served\n")

from _labkit_agent.start import start  # noqa: E402

start()
