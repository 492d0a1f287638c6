"""Let a coverage-guided fuzzer (atheris, from PyPI, installed here into a throwaway place) look for a file that
breaks the reader.

    python benchmarks/fuzz_guided.py --seconds 600

The fuzzer changes one part of a real snapshot at a time (a column, a table, the header; the archive around it and its
checksums are made right, or no change would get past them) and keeps what reaches lines no other file reached. What
comes out must be a heap or a named error, within 5 s and 1 GiB; what is not is kept, and told with exit status 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ATHERIS = "atheris==3.0.0"
REPOSITORY = Path(__file__).resolve().parents[1]
MOST_SECONDS, MOST_MEGABYTES = 5, 1024


def main() -> int:
    """Install the fuzzer, give it the parts of a heap to begin with, let it run; 1 when it found something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, corpus = Path(place), Path(place) / "corpus"
        uv, python = REPOSITORY / ".boot" / "bin" / "uv", folder / "venv" / "bin" / "python"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, python.parents[1]], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, ATHERIS, "numpy"], check=True)
        corpus.mkdir()
        for number, (_, content) in enumerate(parts(make_heap(folder / "made.heap"))):
            (corpus / f"{number:02}").write_bytes(bytes([number]) + content)
        limits = [f"-timeout={MOST_SECONDS}", f"-rss_limit_mb={MOST_MEGABYTES}", f"-max_total_time={options.seconds}"]
        limits += ["-reduce_inputs=0", "-len_control=0"]  # a smaller part is no better: its header would go first
        kept = Path(tempfile.mkdtemp(prefix="labkit-fuzz-"))
        command = [python, __file__, "--in-fuzzer", folder / "made.heap", *limits, f"-artifact_prefix={kept}/", corpus]
        done = subprocess.run(command, check=False, cwd=REPOSITORY, env={"PYTHONPATH": str(REPOSITORY)})
        found = sorted(kept.iterdir())
    print(f"{len(found)} kept in {kept}" if found else "nothing found")
    return 1 if found or done.returncode else 0


def make_heap(path: Path) -> Path:
    """A heap made by hand, as the tests have it: small, with every column and table in use."""
    sys.path[:0] = [str(REPOSITORY / "tests" / "findings")]
    from recorded import Heap

    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for place in range(8):
        session = heap.new("shop.Session", 48, held_by=(store, "value"), site=[("shop/app.py", 3 + place, "open")])
        heap.refer(session, store, "index")
    heap.write(path)
    return path


def parts(path: Path) -> list[tuple[str, bytes]]:
    """Name and content of each part of a snapshot."""
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def fuzz(path: str) -> None:
    """In the fuzzer's interpreter: its first byte chooses the part, the rest is what stands there instead."""
    import atheris

    with atheris.instrument_imports(include=["labkit.store"]):
        from labkit.errors import LabkitError
        from labkit.store.snapshot import read_snapshot
    members = parts(Path(path))
    changed = Path(path).with_suffix(".changed")

    def one(data: bytes) -> None:
        chosen = data[0] % len(members) if data else 0
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            for number, (name, content) in enumerate(members):
                archive.writestr(name, data[1:] if number == chosen else content)
        changed.write_bytes(whole.getvalue())
        with contextlib.suppress(LabkitError):
            read_snapshot(changed)

    atheris.enabled_hooks.add("RegEx")
    atheris.Setup([sys.argv[0], *sys.argv[3:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-fuzzer"]:
        fuzz(sys.argv[2])
    else:
        sys.exit(main())
