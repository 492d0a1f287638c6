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
ABOARD = "labkit_aboard"
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "native", "doors")


@dataclass(frozen=True)
class Shipment:
    """``why_no_walker`` is empty when the compiled walker came along."""

    folder: Path
    why_no_walker: str


def ship_agent(folder: Path, python: str) -> Shipment:
    """Write the agent for the interpreter ``python``, and ``labkit_aboard``, to ``folder``; older ones are replaced.

    Raises AppNotReady when there is no such interpreter, CannotWrite when the folder or the disk refuses.
    """
    walker, why = build_walker(locate_interpreter(python))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as place:
            made = Path(place) / PACKAGE
            shutil.copytree(AGENT_DIR, made, ignore=NOT_SHIPPED)
            aboard = Path(place) / ABOARD
            shutil.copytree(Path(AGENT_DIR).parent / "aboard", aboard, ignore=NOT_SHIPPED)
            if walker is not None:
                shutil.copyfile(walker, made / f"_walker.{walker.name.partition('.')[2]}")
            for door in sorted((Path(AGENT_DIR) / "doors").glob("*.py")):
                shutil.copyfile(door, Path(place) / door.name)
                os.replace(Path(place) / door.name, folder / door.name)  # noqa: PTH105
            for new in (made, aboard):
                _exchange(new, folder / new.name, Path(place) / f"older-{new.name}")
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
