"""Change how a snapshot's members are compressed: small for a folder, plain for a bundle, which compresses them itself.

The compiled walker stores its columns as they are, so that its child is soon gone.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from labkit.store.beside import beside

#: Deflate's fastest level: the columns are small numbers in order, more effort gains a tenth.
LEVEL = 1


def pack_snapshot(path: Path) -> None:
    """Compress the members of the snapshot at ``path``; nothing is done when they are compressed.

    Raises what ``zipfile`` and the file system raise; the snapshot is replaced when the packed one is complete.
    """
    with zipfile.ZipFile(path) as plain:
        if all(member.compress_type == zipfile.ZIP_DEFLATED for member in plain.infolist()):
            return
    with beside(path) as partial:
        rewrite(path, partial, zipfile.ZIP_DEFLATED)
        partial.chmod(path.stat().st_mode & 0o777)


def rewrite(source: Path, target: Path, compression: int) -> None:
    """Write the snapshot at ``source`` to ``target`` with another ``compression`` (of ``zipfile``)."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), compression, LEVEL)
