"""The command line and the environment a server is started with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.agent import AGENT_DIR
from labkit.cases import Target
from labkit.drive.options import RecordOptions
from labkit.errors import AppNotReady

HOST = "127.0.0.1"

# Each of these would change the server, or what is measured, behind the user's back.
_NOT_INHERITED = ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "PYTHONTRACEMALLOC", "PYTHONINSPECT")


@dataclass(frozen=True)
class AppModule:
    """How a server imports the app: ``module`` from ``folder``, then ``name`` (``app``, ``create_app()``)."""

    folder: Path
    module: str
    name: str

    @property
    def spec(self) -> str:
        """``MODULE:NAME``, as servers take it."""
        return f"{self.module}:{self.name}"


def locate_app(target: Target) -> AppModule:
    """Find the folder to import the app's file from: the first one upwards that is no package.

    Raises AppNotReady when there is no such file or its name cannot be imported.
    """
    file = target.app_file.absolute()
    if not file.is_file():
        raise AppNotReady(f"There is no app file {target.app_file}.", hint="--app FILE.py:NAME")
    parts = [] if file.name == "__init__.py" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    if file.suffix != ".py" or any("." in part for part in parts):
        raise AppNotReady(f"{target.app_file} cannot be imported under that name.", hint="NAME.py, without more dots")
    return AppModule(folder, ".".join(parts), target.app_name)


def environment_for(seed: int) -> dict[str, str]:
    """The server's environment: ours, with fixed hashing and nothing written beside the user's files."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return kept | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(seed % 2**32),
        "PYTHONUNBUFFERED": "1",
    }


def command_line(
    python: str,
    run_dir: Path,
    app: AppModule,
    options: RecordOptions,
    server_flags: Sequence[str] | frozenset[str],
    walker: Path | None = None,
) -> list[str]:
    """The whole command; ``server_flags`` are the options this server's version knows, ``walker`` the compiled one."""
    launch = str(Path(AGENT_DIR) / "launch.py")
    bind = ["--bind", f"{HOST}:{options.port}"]
    more = _gunicorn_arguments(app, options, server_flags) if options.server == "gunicorn" else []
    return [
        python,
        launch,
        "--run-dir",
        str(run_dir),
        "--server",
        options.server,
        *(["--walker", str(walker)] if walker else []),
        "--",
        *bind,
        *more,
        app.spec,
    ]


def _gunicorn_arguments(
    app: AppModule, options: RecordOptions, server_flags: Sequence[str] | frozenset[str]
) -> list[str]:
    # The players give up long before the worker's timeout, so that a hang is told as a hang.
    timeout_s = int(10 * options.request_timeout_s + 2 * options.snapshot_deadline_s + 300)
    arguments = {
        "--chdir": str(app.folder),
        "--workers": str(options.workers),
        "--worker-class": options.worker_class,
        "--timeout": str(timeout_s),
        "--graceful-timeout": "1",
        "--keep-alive": "5",
        "--max-requests": "0",
        "--error-logfile": "-",
    }
    if options.worker_class == "gthread":
        arguments["--threads"] = str(options.threads)
    flat = [word for pair in arguments.items() for word in pair]
    # Its default path is shared by all Gunicorns of a user, and its thread would be in every snapshot.
    return flat + ["--no-control-socket"] * ("--no-control-socket" in server_flags)
