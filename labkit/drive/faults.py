"""From a server's last words to an error that says what to do."""

from __future__ import annotations

import ast
import re
import sys
import time
from pathlib import Path

from labkit.drive.command import AppModule
from labkit.errors import AppNotReady, CaptureError, PortTaken

_PREFIX = re.compile(r"^\[[\d :+-]+\] \[\d+\] \[\w+\] ")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Timeout|Fault)(: .*)?$")
_IN_USE = re.compile(r"(Connection|Address already) in use")


class ServerLog:
    """The output of one server in a file that may hold those of earlier servers before it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = path.stat().st_size if path.exists() else 0

    def lines(self) -> list[str]:
        """What the server printed, without Gunicorn's prefixes and empty lines."""
        if not self.path.exists():
            return []
        text = self.path.read_bytes()[self._start :].decode(errors="replace")
        return [_PREFIX.sub("", line).strip() for line in text.splitlines() if line.strip()]

    def tail(self, count: int = 3) -> str:
        """The last lines in one."""
        return " | ".join(self.lines()[-count:])[-400:] or "it printed nothing"

    def last_exception(self, after: int = 0) -> str:
        """The last line of the last traceback, among the lines from number ``after`` on; empty without one."""
        told = [line for line in self.lines()[after:] if _EXCEPTION.match(line)]
        return told[-1][:300] if told else ""

    def says_port_is_taken(self) -> bool:
        """Whether the server could not bind its address."""
        return any(_IN_USE.search(line) for line in self.lines())

    def end_of_worker(self, pid: int, patience_s: float = 1.0) -> str:
        """The server's line about the end of worker ``pid``, waited for a moment; or its last lines."""
        about = re.compile(rf"(?=.*\bpid: ?{pid}\b).*(sent|exit|terminated|signal|timeout|failed)", re.IGNORECASE)
        give_up = time.monotonic() + patience_s
        while True:
            told = [line for line in self.lines() if about.search(line)]
            if told or time.monotonic() > give_up:
                return told[-1] if told else self.tail()
            time.sleep(0.02)


def port_taken(port: int, seen: str) -> PortTaken:
    """Somebody listens there already."""
    return PortTaken(f"Port {port} is taken.", seen=seen, hint="another --port, or none for any free one")


def not_an_app_hint(exception: str, app_name: str) -> str:
    """What to try when what is served is no app of the server's kind; empty when the exception does not say so."""
    called = re.match(r"TypeError: (?:(\w+)\.__call__|([\w.<>]+))\(\) (.*)", exception)
    if not called:
        return ""
    if "missing 1 required positional argument: 'send'" in called[3]:
        return "this is an ASGI app: --server uvicorn"
    if "missing 1 required positional argument: 'start_response'" in called[3] or (
        called[1] and re.match(r"takes 3 positional arguments but 4 (was|were) given", called[3])
    ):
        return "this is a WSGI app: leave --server uvicorn out"
    if called[2] and called[2].removesuffix(".__init__") == app_name:
        return f"{app_name} is called with a request: if it makes the app, --app 'FILE.py:{app_name}()'"
    return ""


def import_fault(app: AppModule, app_file: Path, python: str, told: str) -> CaptureError:
    """The app could not be loaded; ``told`` is the end of the traceback: its last line, or an error of syntax."""
    last_line = told.splitlines()[-1] if told else ""
    where = re.match(r'\s*File "([^"]+)", line (\d+)', told)
    if where:
        last_line += f" ({Path(where[1]).name}, line {where[2]})"
    name = app.name.removesuffix("()")
    if re.search(rf"module '{re.escape(app.module)}' has no attribute '{re.escape(name)}'", last_line):
        return AppNotReady(f"{app_file.name} has no {name!r}.", seen=last_line, hint=_names_hint(app, app_file))
    if re.search(r"(must be|is not) callable", last_line):
        hint = _names_hint(app, app_file)
        return AppNotReady(f"{name} in {app_file.name} is no app: it cannot be called.", seen=last_line, hint=hint)
    hint = f"import it with {python} to see the whole traceback" if not where else "mend the line that is named"
    if missing := re.search(r"ModuleNotFoundError: No module named '([^']+)'", last_line):
        hint = f"install {missing[1].split('.')[0]} for {python}, or --python with an environment that has it"
    what = (
        f"{app.name} in {app_file.name} makes no app."
        if app.name.endswith(")")
        else f"The app in {app_file.name} does not import."
    )
    return AppNotReady(what, seen=last_line, hint=hint)


def _names_hint(app: AppModule, app_file: Path) -> str:
    if app.module in sys.stdlib_module_names:
        return f"{app.module} is a module of Python itself: give the file another name"
    try:
        body = ast.parse(app_file.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        body = []
    names = [f"{node.name}()" for node in body if isinstance(node, ast.FunctionDef) and not node.args.args]
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    likely = [name for name in names if re.search(r"app|wsgi|api", name, re.IGNORECASE)] or names
    place = app.module if app_file.name == "__init__.py" else app_file.name
    return f"--app '{place}:NAME' with one of {', '.join(likely[:8]) or '(it defines nothing)'}"
