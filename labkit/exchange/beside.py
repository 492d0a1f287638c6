"""Files that are there whole or not at all: written beside their place and renamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from labkit.errors import CannotWrite


@contextmanager
def written_beside(path: Path) -> Iterator[TextIO]:
    """A text stream whose content is at ``path`` when the block ends well; an older file stays until then.

    Raises CannotWrite when the folder or the disk refuses.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        if path.is_dir():
            raise CannotWrite(f"{path} cannot be written.", seen="it is a folder", hint="give the name of a file")
        with partial.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        partial.replace(path)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written.", seen=str(error.strerror), hint="choose another -o") from None
    finally:
        if partial.is_file():
            partial.unlink()
