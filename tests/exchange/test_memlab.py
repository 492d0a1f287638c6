"""memlab reads what was exported and computes dominators and retained sizes with its own code: all must agree.

memlab comes from npm, pinned by package-lock.json, into pytest's cache folder; no browser is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawing import from_edges

from labkit.cases import Case, load_case
from labkit.exchange.heapsnapshot import SYNTHETIC, write_heapsnapshot
from labkit.heap.image import HeapImage
from labkit.store.bundle import unpack
from labkit.store.snapshot import read_snapshot

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "data"


def _missing(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def memlab(pytestconfig: pytest.Config) -> Path:
    """The folder node_modules with memlab in it."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        _missing("npm is not installed; with it, memlab checks the exported heaps")
    names = ("package.json", "package-lock.json")
    content = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()[:16]
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("memlab") / content
    if not (folder / "complete").is_file():
        folder.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(HERE / name, folder / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        environment = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
        if done.returncode:
            _missing(f"npm could not install memlab: {done.stderr[-500:]}")
        (folder / "complete").touch()
    return folder / "node_modules"


def compare(memlab: Path, images: list[HeapImage], folder: Path) -> int:
    """Export each heap, let memlab judge it, compare every node; returns how many were compared."""
    files = [folder / f"{place}.heapsnapshot" for place in range(len(images))]
    for image, file in zip(images, files, strict=True):
        write_heapsnapshot(image, file)
    done = subprocess.run(["node", HERE / "judge.cjs", memlab, *files], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    compared = 0
    for image, file in zip(images, files, strict=True):
        judged = np.fromfile(f"{file}.judged", dtype="<f8").reshape(-1, 3).astype(np.int64)
        count = image.graph.node_count
        assert judged[:, 0].tolist() == [2 * place + 1 for place in range(count + len(SYNTHETIC))]
        above = (judged[len(SYNTHETIC) :, 1] - 1) // 2 - len(SYNTHETIC)
        above[above < 0] = -1  # the root and the groups of roots stand for "only the whole heap"
        assert np.array_equal(above, image.dominators.immediate)
        assert np.array_equal(judged[len(SYNTHETIC) :, 2], image.dominators.retained_bytes)
        assert judged[0, 2] == image.graph.size_bytes.sum()
        compared += count
    return compared


@pytest.mark.parametrize("name", ["session_cache", "bounded_cache"])
def test_recorded_heaps(name: str, memlab: Path, tmp_path: Path) -> None:
    capture = unpack(DATA / f"{name}.capture", tmp_path / "capture")
    chosen = [capture.snapshots[0], capture.snapshots[-1], *capture.site_snapshots[-1:]]
    images = [HeapImage(read_snapshot(capture.path_of(entry))) for entry in chosen]
    assert compare(memlab, images, tmp_path) > 300_000


#: One for each way in which a path reads: a dict, exceptions with frames, a cache, an attribute; and a decoy.
CASES = [
    load_case(name)
    for name in ("bounded_cache", "error_tracebacks", "lru_cache_on_method", "open_files", "session_cache")
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_sample_app(case: Case, memlab: Path, tmp_path: Path) -> None:
    """Both twins, in processes of their own, after some visits."""
    images = []
    for variant in ("leaky", "fixed"):
        path = tmp_path / f"{variant}.heap"
        command = [sys.executable, HERE / "visited.py", case.folder, variant, path]
        subprocess.run(command, check=True, timeout=120)
        images.append(HeapImage(read_snapshot(path)))
    assert compare(memlab, images, tmp_path) > 100_000


def test_random_heaps(memlab: Path, tmp_path: Path) -> None:
    """Cycles, self-references, parallel references, several roots, and parts that no named root reaches."""
    images = []
    for seed in range(60):
        chance = random.Random(seed)
        count = chance.randint(1, 60)
        edges = [(chance.randrange(count), chance.randrange(count)) for _ in range(chance.randint(0, 3 * count))]
        edges += chance.sample(edges, len(edges) // 5)
        snapshot = from_edges(count, edges, [chance.randint(1, 1000) for _ in range(count)]).snapshot
        roots = chance.sample(range(count), min(count, chance.randint(0, 4)))
        snapshot.labels.append("named")
        snapshot.columns["root_node"] = np.array(roots, dtype="<u4")
        snapshot.columns["root_kind"] = np.array([chance.randrange(3) for _ in roots], dtype="<u1")
        snapshot.columns["root_label"] = np.zeros(len(roots), dtype="<i4")
        # some are held by more than what was found
        into = np.bincount([target for _, target in edges], minlength=count)
        snapshot.columns["node_refcount"] = np.array([into[node] + chance.choice([0, 0, 1]) for node in range(count)])
        images.append(HeapImage(snapshot))
    assert compare(memlab, images, tmp_path) > 1_000
