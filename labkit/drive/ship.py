"""Put the agent where a production server can load it: one folder, standard library only, no labkit needed there."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labkit.agent import AGENT_DIR
from labkit.drive.build_walker import build_walker
from labkit.drive.interpreter import locate_interpreter
from labkit.errors import CannotWrite

PACKAGE = "_labkit_agent"


@dataclass(frozen=True)
class Shipment:
    """``why_no_walker`` is empty when the compiled walker came along."""

    folder: Path
    why_no_walker: str


def ship_agent(folder: Path, python: str) -> Shipment:
    """Write the agent for the interpreter ``python`` to ``folder``; an older one there is replaced as a whole.

    Raises AppNotReady when there is no such interpreter, CannotWrite when the folder or the disk refuses.
    """
    walker, why = build_walker(locate_interpreter(python))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as place:
            made = Path(place) / PACKAGE
            shutil.copytree(AGENT_DIR, made, ignore=shutil.ignore_patterns("__pycache__", "native", "doors"))
            if walker is not None:
                shutil.copyfile(walker, made / f"_walker.{walker.name.partition('.')[2]}")
            for door in sorted((Path(AGENT_DIR) / "doors").glob("*.py")):
                shutil.copyfile(door, Path(place) / door.name)
                os.replace(Path(place) / door.name, folder / door.name)  # noqa: PTH105
            _exchange(made, folder / PACKAGE, Path(place) / "older")
    except OSError as error:
        raise CannotWrite(
            f"The agent could not be written to {folder}.",
            seen=str(error.strerror or error),
            hint="choose a folder you may write to",
        ) from None
    return Shipment(folder.absolute(), why)


def _exchange(made: Path, place: Path, aside: Path) -> None:
    if place.exists():
        place.rename(aside)
    made.rename(place)
