"""One file that holds a whole capture, small enough to pass on or to keep in a repository.

A ``.capture`` file is a tar archive compressed with xz. The snapshots of one process are nearly alike,
and xz sees that once their columns are stored plainly: seven snapshots cost little more than one.
"""

from __future__ import annotations

import io
import lzma
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.errors import NotACapture
from labkit.store.beside import beside
from labkit.store.capture import Capture, open_capture
from labkit.store.pack import rewrite
from labkit.store.snapshot import read_snapshot

XZ_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 27}]
PRIVATE = 0o600
MAX_UNPACKED_BYTES = 4 << 30
PARTS = re.compile(r"manifest\.json|samples\.csv|(heap|sites)/[\w.-]+|recordings/[\w.-]+\.json")


def pack(capture: Capture, file: Path) -> None:
    """Write ``capture`` to ``file`` (beside first, then renamed).

    The server's log and other tools' own files stay at home: they hold command lines, paths and more.

    Every snapshot is read first: raises what reading raises.
    """
    with (
        beside(file) as partial,
        _private(partial),
        tempfile.TemporaryDirectory(prefix="labkit-pack-") as folder,
        lzma.open(partial, "wb", filters=XZ_FILTERS) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in ("manifest.json", "samples.csv"):
            archive.add(capture.folder / name, name, filter=_anonymous)
        for entry in (*capture.snapshots, *capture.site_snapshots):
            read_snapshot(capture.path_of(entry))
            plain = Path(folder) / "plain.heap"
            rewrite(capture.path_of(entry), plain, zipfile.ZIP_STORED)
            archive.add(plain, entry.file, filter=_anonymous)
        for recording in capture.recordings:
            for name in recording.files.values():
                if PARTS.fullmatch(name):
                    archive.add(capture.folder / name, name, filter=_anonymous)


@contextmanager
def _private(file: Path) -> Iterator[None]:
    """Readable by its owner alone from the first byte on, as its snapshots are."""
    file.touch(mode=PRIVATE)
    file.chmod(PRIVATE)
    yield


def unpack(file: Path, folder: Path) -> Capture:
    """Extract ``file`` to the new ``folder`` and open it; raises NotACapture for anything else."""
    if folder.exists():
        raise NotACapture(f"{folder} exists already; a capture is never written over.", hint="choose another folder")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with lzma.open(file) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            size = 0
            for member in archive:
                size += member.size
                if not member.isreg() or not PARTS.fullmatch(member.name) or size > MAX_UNPACKED_BYTES:
                    raise NotACapture(f"{file} is no capture bundle.", seen=f"{member.name!r} in it is refused")
                _write(archive, member, partial)
        if not (partial / "manifest.json").is_file():
            raise NotACapture(f"{file} is no capture bundle.", seen="there is no manifest.json in it")
        partial.rename(folder)
    except (OSError, EOFError, ValueError, lzma.LZMAError, tarfile.TarError) as error:
        seen = f"{type(error).__name__}: {error}"
        raise NotACapture(f"{file} cannot be read as a capture bundle.", seen=seen, hint="copy it again") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return open_capture(folder)


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a capture: itself, in the folder of a whole investigation, or unpacked for the time being."""
    inside = path / "capture"
    if path.suffix == ".capture" and path.is_file():
        with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
            yield unpack(path, Path(folder) / "capture").folder
    else:
        yield inside if (inside / "manifest.json").is_file() else path


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """A regular file of a name that was checked; ``extract`` with a filter is not in 3.11.0 to 3.11.3."""
    path = folder / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    with path.open("wb") as stream:
        shutil.copyfileobj(content or io.BytesIO(), stream)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o644
    return member
