"""Chrome's own DevTools read what was exported: dominators, retained sizes and distances of every node.

The Memory panel's worker is a script Chromium brings along and serves on its debugging port. It is no
public interface; a Chromium whose worker has changed skips this, and memlab, which is pinned, remains.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from labkit.exchange.heapsnapshot import SYNTHETIC, write_heapsnapshot
from labkit.heap.image import HeapImage
from labkit.store.bundle import unpack
from labkit.store.snapshot import read_snapshot

DATA = Path(__file__).resolve().parents[2] / "data"
NO_DISTANCE_FROM_MODULES = 100_000_000
LOAD = """async () => {
  const worker = await import('/devtools/entrypoints/heap_snapshot_worker/heap_snapshot_worker.js');
  const problems = [];
  const reportProblem = text => problems.push(text);
  const progress = {sendEvent() {}, updateStatus() {}, updateProgress() {}, reportProblem};
  const loader = new worker.HeapSnapshotLoader.HeapSnapshotLoader(progress);
  const text = await document.querySelector('input').files[0].text();
  for (let place = 0; place < text.length; place += 1e7) {
    loader.write(text.slice(place, place + 1e7));
  }
  loader.close();
  const {port1, port2} = new MessageChannel();
  new worker.HeapSnapshot.SecondaryInitManager(port2);
  const heap = await loader.buildSnapshot(port1);
  const list = numbers => Array.from(numbers);
  return {
    above: list(heap.dominatorsTree), retained: list(heap.retainedSizes), distances: list(heap.nodeDistances), problems,
  };
}"""

HAS_ITS_PARTS = """() => import('/devtools/entrypoints/heap_snapshot_worker/heap_snapshot_worker.js').then(
  worker => Boolean(worker.HeapSnapshotLoader?.HeapSnapshotLoader && worker.HeapSnapshot?.SecondaryInitManager),
  () => false)"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of Chromium's debugging port, from which the worker's script may be imported."""
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "chromium is not installed; with it, Chrome's DevTools check the exported heaps"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    profile = tmp_path_factory.mktemp("profile")
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(profile, executable_path=chromium, args=arguments)
        place = profile / "DevToolsActivePort"
        for _ in range(100):
            if place.is_file() and place.read_text().strip():
                break
            time.sleep(0.1)
        opened = context.new_page()
        opened.goto(f"http://127.0.0.1:{place.read_text().split()[0]}/json/version")
        opened.set_content("<input type=file>")
        yield opened
        context.close()


@pytest.mark.parametrize("name", ["session_cache", "bounded_cache"])
def test_devtools_agree_on_every_node(name: str, page: Page, tmp_path: Path) -> None:
    capture = unpack(DATA / f"{name}.capture", tmp_path / "capture")
    image = HeapImage(read_snapshot(capture.path_of(capture.snapshots[-1])))
    write_heapsnapshot(image, tmp_path / "x.heapsnapshot")
    page.set_input_files("input", tmp_path / "x.heapsnapshot")
    if not page.evaluate(HAS_ITS_PARTS):
        pytest.skip("this Chromium's DevTools have no script of these names and parts any more")
    found = page.evaluate(LOAD)
    assert found["problems"] == []
    above = np.array(found["above"])[len(SYNTHETIC) :] - len(SYNTHETIC)
    above[above < 0] = -1
    assert np.array_equal(above, image.dominators.immediate)
    assert found["retained"][len(SYNTHETIC) :] == image.dominators.retained_bytes.tolist()
    assert found["retained"][0] == image.graph.size_bytes.sum()
    distances = found["distances"][len(SYNTHETIC) :]
    modules = [row for row, kind in zip(image.tree.roots.node, image.tree.roots.kind, strict=True) if kind == "module"]
    assert {distances[row] for row in modules} == {1}
    reached = sum(distance < NO_DISTANCE_FROM_MODULES for distance in distances)
    from_modules = sum(image.tree.root_kind(row) == "module" for row in range(image.graph.node_count))
    assert reached == from_modules
