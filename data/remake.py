"""Record the captures in this folder again: ``.venv/bin/python data/remake.py [NAME ...]``.

Takes about two minutes. Each is a whole investigation's recording (see docs/capture-format.md), packed
into one file; ``manifest.json`` says how and with which versions it was made, and its checksum.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from labkit.cases import target_of
from labkit.drive.options import RecordOptions
from labkit.drive.record import record
from labkit.store.bundle import pack

HERE = Path(__file__).parent
RECORDED = {"session_cache": "session_cache:leaky", "bounded_cache": "bounded_cache:leaky"}


def remake(name: str) -> dict[str, object]:
    """Record one capture, pack it, and return its entry in the manifest."""
    target = RECORDED[name]
    file = HERE / f"{name}.capture"
    with tempfile.TemporaryDirectory(prefix="labkit-data-") as folder:
        command = f"labkit investigate {target}"
        capture = record(target_of(target), RecordOptions(), Path(folder) / "capture", command, progress=True)
        pack(capture, file)
    return {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "command": command,
        "recorded_at": capture.manifest["recorded_at"],
        "versions": capture.manifest["versions"],
    }


def main(names: list[str]) -> None:
    """Remake the named captures, or all."""
    path = HERE / "manifest.json"
    manifest = json.loads(path.read_text()) if path.exists() else {}
    for name in names or RECORDED:
        manifest[name] = remake(name)
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
