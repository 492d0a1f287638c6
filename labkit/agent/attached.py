"""Run in a thread of a process that a debugger was attached to: load the agent beside the app, or say why not.

Nothing of it stays in ``sys.path`` or in the app's namespaces.
"""

try:
    import os as _os
    from importlib import util as _util

    _here = _os.path.dirname(__file__)
    _spec = _util.spec_from_file_location("_labkit_launch", _os.path.join(_here, "launch.py"))
    _launch = _util.module_from_spec(_spec)  # type: ignore[arg-type]
    _spec.loader.exec_module(_launch)  # type: ignore[union-attr]
    _launch.load_agent()
    from _labkit_agent.start import start as _start

    _start()
except Exception as _error:
    with open(_os.path.join(_os.path.dirname(_here), "fault"), "w", encoding="utf-8") as _stream:
        _stream.write(f"{type(_error).__name__}: {_error}")
