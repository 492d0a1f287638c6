"""Files that are there whole or not at all: written beside their place and renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from labkit.errors import CannotWrite


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """The name of a file to write; it is renamed to ``path`` when the block ends well.

    An older file stays until then. What is written is removed when the block does not end well. Raises what
    the file system raises.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def written_beside(path: Path) -> Iterator[TextIO]:
    """A text stream whose content is at ``path`` when the block ends well.

    Raises CannotWrite when the folder or the disk refuses.
    """
    try:
        with beside(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
    except OSError as error:
        raise CannotWrite(
            f"{path} could not be written.",
            seen=str(error.strerror or error),
            hint="choose a folder that exists and that you may write to, and a name no folder has",
        ) from error
