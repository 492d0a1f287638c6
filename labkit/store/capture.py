"""A recorded session: ordered snapshots, samples from outside, and where it all came from.

NAME/manifest.json    schema, load, statuses, one entry per snapshot with what it cost
NAME/samples.csv      one row per worker and look: RSS, USS, descriptors, sockets, threads
NAME/heap/            rung-00.<pid>.heap ...   the heap after warm-up and after each rung
NAME/sites/           the same from the separate pass that records allocation sites
NAME/recordings/      what other tools recorded, where they were asked
NAME/server.log       what the server printed
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from labkit.errors import NotACapture, UnsupportedVersion
from labkit.store.manifest import MAX_NUMBER, check, read_manifest
from labkit.store.recordings import FOLDER, Recording, read_entries

SCHEMA = "labkit.capture/1"


@dataclass(frozen=True)
class Sample:
    """One look at one worker from outside."""

    time_s: float
    rung: int
    pid: int
    requests: int
    rss_bytes: int
    uss_bytes: int
    descriptors: int
    sockets: int
    threads: int


@dataclass(frozen=True)
class SnapshotEntry:
    """One heap snapshot of a capture: after how many requests, and what taking it cost.

    ``memory`` is what the process was made of at that moment, in bytes; the names are in docs/capture-format.md.
    """

    rung: int
    pid: int
    requests: int
    file: str
    cost: dict[str, Any]
    memory: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Capture:
    """A finished capture, opened for reading; paths are resolved against ``folder``."""

    folder: Path
    manifest: dict[str, Any]
    samples: tuple[Sample, ...]
    snapshots: tuple[SnapshotEntry, ...]
    site_snapshots: tuple[SnapshotEntry, ...]
    recordings: tuple[Recording, ...] = ()

    def __repr__(self) -> str:
        requests = self.snapshots[-1].requests if self.snapshots else 0
        return (
            f"Capture of {self.manifest['label']}: {len(self.snapshots)} snapshots over {requests:,} requests, "
            f"recorded {str(self.manifest['recorded_at'])[:10]}"
        )

    def path_of(self, entry: SnapshotEntry) -> Path:
        """Where the snapshot's file is."""
        return self.folder / entry.file

    def sha256(self) -> str:
        """Hash over the names and bytes of every file but the server's log, in name order."""
        digest = hashlib.sha256()
        for path in sorted(_files(self.folder)):
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


class CaptureWriter:
    """Collects a capture in ``OUT.partial`` and renames it at the end.

    Use it as a context manager: when the block is left without ``publish``, by an error or an
    interruption, nothing remains. An existing ``OUT`` is never written over.
    """

    def __init__(self, out_dir: Path) -> None:
        if out_dir.exists():
            raise _in_the_way(out_dir)
        self.out_dir = out_dir.absolute()  # the worker has a current folder of its own
        self.folder = self.out_dir.with_name(out_dir.name + ".partial")
        self._snapshots: list[SnapshotEntry] = []
        self._site_snapshots: list[SnapshotEntry] = []
        self._samples: list[Sample] = []
        self._recordings: list[Recording] = []
        self._statuses: dict[str, int] = {}
        self._under_load: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}
        self._recorded_at = datetime.now(UTC).isoformat(timespec="seconds")

    def __enter__(self) -> CaptureWriter:
        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder)
        else:
            self.folder.unlink(missing_ok=True)
        (self.folder / "heap").mkdir(parents=True)
        (self.folder / "sites").mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log_path(self) -> Path:
        """Where the server's output goes."""
        return self.folder / "server.log"

    def heap_path(self, rung: int, pid: int, *, sites: bool = False) -> Path:
        """The absolute path the agent must write this snapshot to."""
        return (self.folder / ("sites" if sites else "heap") / f"rung-{rung:02d}.{pid}.heap").absolute()

    def add_snapshot(
        self, rung: int, pid: int, requests_total: int, path: Path, cost: dict[str, Any], *, sites: bool = False
    ) -> None:
        """Record a snapshot the agent has written, and its cost as the agent told it, ``memory`` with it."""
        relative = path.relative_to(self.folder.absolute()).as_posix()
        entry = SnapshotEntry(rung, pid, requests_total, relative, dict(cost), dict(cost.get("memory", {})))
        entry.cost.pop("memory", None)
        (self._site_snapshots if sites else self._snapshots).append(entry)

    def recording_path(self, name: str) -> Path:
        """The absolute path of a recording's file."""
        (self.folder / FOLDER).mkdir(exist_ok=True)
        return (self.folder / FOLDER / name).absolute()

    def add_recording(self, recording: Recording) -> None:
        """Record what another tool did; its files are at their ``recording_path``."""
        self._recordings.append(recording)

    def add_sample(self, sample: Sample) -> None:
        """Record one look from outside."""
        self._samples.append(sample)

    def add_statuses(self, statuses: dict[str, int]) -> None:
        """Add answer counts by HTTP status; ``lost`` counts requests without a whole answer."""
        for status, count in statuses.items():
            self._statuses[status] = self._statuses.get(status, 0) + count

    def add_under_load(self, cost: dict[str, Any]) -> None:
        """Record what one snapshot cost while requests were being served."""
        self._under_load = dict(cost)

    def note(self, **facts: Any) -> None:
        """Add facts to the manifest under ``notes``."""
        self._notes.update(facts)

    def publish(self, *, settled: bool = True, **about: Any) -> Capture:
        """Write manifest and samples, rename the folder into place, and open it.

        ``about`` is what the manifest says of the whole: ``label``, ``command``, ``versions``, ``load``, ``server``.
        """
        self._write(about, settled)
        try:
            self.folder.rename(self.out_dir)
        except OSError:
            raise _in_the_way(self.out_dir) from None
        return open_capture(self.out_dir)

    def preview(self, *, settled: bool = True, **about: Any) -> Capture:
        """What there is by now, to be read while more is recorded; ``about`` as for ``publish``."""
        self._write(about, settled)
        return open_capture(self.folder)

    def _write(self, about: dict[str, Any], settled: bool) -> None:
        manifest = {
            "schema": SCHEMA,
            "label": about["label"],
            "recorded_at": self._recorded_at,
            "command": about["command"],
            "versions": about["versions"],
            "load": about["load"],
            "server": about["server"],
            "settled": settled,
            "statuses": dict(sorted(self._statuses.items())),
            "under_load": self._under_load,
            "notes": self._notes,
            "snapshots": [dataclasses.asdict(entry) for entry in self._snapshots],
            "recordings": [recording.to_json() for recording in self._recordings],
            "site_snapshots": [dataclasses.asdict(entry) for entry in self._site_snapshots],
        }
        (self.folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        with (self.folder / "samples.csv").open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow([field.name for field in dataclasses.fields(Sample)])
            rows.writerows(dataclasses.astuple(sample) for sample in self._samples)


def _in_the_way(out_dir: Path) -> NotACapture:
    return NotACapture(f"{out_dir} exists already; a capture is never written over.", hint="choose another --out")


def open_capture(folder: Path) -> Capture:
    """Open a capture folder.

    Raises NotACapture when it is none or is damaged, UnsupportedVersion when a newer labkit wrote it.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        seen = "no such folder" if not folder.exists() else "there is no manifest.json in it"
        raise NotACapture(f"{folder} is not a labkit capture.", seen=seen, hint="investigate ... --out DIR records one")
    try:
        manifest = read_manifest(path)
        schema = str(manifest["schema"])
        if schema.startswith("labkit.capture/") and schema != SCHEMA:
            raise UnsupportedVersion(
                f"{folder} was written by another version of labkit.",
                seen=f"{schema}, this one reads {SCHEMA}",
                hint="open it with the labkit that wrote it, or a newer one",
            )
        if schema != SCHEMA:
            raise NotACapture(f"{folder} is not a labkit capture.", seen=f"manifest.json names {schema!r}")
        check(manifest)
        snapshots = tuple(_entries(manifest["snapshots"], folder))
        site_snapshots = tuple(_entries(manifest["site_snapshots"], folder))
        recordings = read_entries(manifest.get("recordings", []), folder)
        samples = tuple(_samples(folder / "samples.csv"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise NotACapture(f"{folder} is a damaged capture.", seen=f"{type(error).__name__}: {error}") from None
    return Capture(folder, manifest, samples, snapshots, site_snapshots, recordings)


def _entries(rows: list[dict[str, Any]], folder: Path) -> Iterator[SnapshotEntry]:
    root = folder.resolve()
    for row in rows:
        entry = SnapshotEntry(
            row["rung"], row["pid"], row["requests"], str(row["file"]), dict(row["cost"]), dict(row.get("memory", {}))
        )
        if root not in (folder / entry.file).resolve().parents:
            raise ValueError(f"snapshot outside the capture: {entry.file!r}")
        yield entry


def _samples(path: Path) -> Iterator[Sample]:
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            time_s, counts = float(row["time_s"]), [int(row[field.name]) for field in dataclasses.fields(Sample)[1:]]
            if not math.isfinite(time_s) or not all(0 <= count < MAX_NUMBER for count in counts):
                raise ValueError(f"samples.csv has a number out of range in {row}")
            yield Sample(time_s, *counts)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name != "server.log")
