"""Run in a thread of a process that a debugger was attached to: load the agent beside the app, or say why not.

Nothing of it stays in ``sys.path`` or in the app's namespaces.
"""

import os as _os

_here = _os.path.dirname(__file__)


def _fault(error):
    """To whoever attached, not to the app's standard error."""
    try:
        partial = _os.path.join(_here, "fault.partial")
        with open(partial, "w", encoding="utf-8") as stream:
            stream.write(f"{type(error).__name__}: {error}")
        _os.replace(partial, _os.path.join(_here, "fault"))
    except OSError:  # it was another user who attached, and whose folder this is
        pass


try:
    from importlib import util as _util

    _spec = _util.spec_from_file_location("_labkit_launch", _os.path.join(_here, "launch.py"))
    _launch = _util.module_from_spec(_spec)  # type: ignore[arg-type]
    _spec.loader.exec_module(_launch)  # type: ignore[union-attr]
    _launch.load_agent()
    from _labkit_agent.start import start as _start

    _start(tell=_fault)
except Exception as _error:
    _fault(_error)
