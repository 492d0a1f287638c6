"""Make a snapshot small: the compiled walker stores its columns as they are, so that its child is soon gone."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

#: Deflate's fastest level: the columns are small numbers in order, more effort gains a tenth.
LEVEL = 1


def pack_snapshot(path: Path) -> None:
    """Compress the members of the snapshot at ``path`` that are not; the same file when all are.

    Raises what ``zipfile`` and the file system raise; the snapshot is replaced when the packed one is complete.
    """
    with zipfile.ZipFile(path) as plain:
        members = plain.infolist()
        if all(member.compress_type == zipfile.ZIP_DEFLATED for member in members):
            return
        partial = path.with_name(path.name + ".partial")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as packed:
                for member in members:
                    packed.writestr(zipfile.ZipInfo(member.filename), plain.read(member), zipfile.ZIP_DEFLATED, LEVEL)
            partial.chmod(path.stat().st_mode & 0o777)
            os.replace(partial, path)  # noqa: PTH105  atomic, and says so
        finally:
            partial.unlink(missing_ok=True)
