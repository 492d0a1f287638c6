"""What single snapshots show: the largest retained sizes with their holders, and never a verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from labkit.findings.lifecycle import outlived
from labkit.findings.model import Explained, Findings, Ledger
from labkit.findings.opinions import second_opinions
from labkit.heap.image import HeapImage
from labkit.heap.naming import dotted_name
from labkit.store.capture import Capture
from labkit.store.snapshot import read_snapshot

LARGEST = 10
CONTAINERS = ("dict", "list", "set", "collections.deque", "collections.OrderedDict", "collections.defaultdict")


def survey_capture(capture: Capture, report: Callable[[str], None]) -> Findings:
    """A capture whose one snapshot shows no growth, and what other tools recorded beside it."""
    findings = survey_snapshots([capture.path_of(entry) for entry in capture.snapshots], report)
    about = {"target": str(capture.manifest["label"]), "second_opinions": second_opinions(capture, [])}
    return findings.model_copy(update=about)


def survey_snapshots(paths: list[Path], report: Callable[[str], None]) -> Findings:
    """Name the containers with the largest retained size in the last of ``paths``; check all of them."""
    for path in paths[:-1]:
        report(f"reading {path.name}")
        read_snapshot(path)
    report(f"reading {paths[-1].name}")
    image = HeapImage(read_snapshot(paths[-1]))
    graph, tree = image.graph, image.tree
    report("computing retained sizes")
    retained = image.dominators.retained_bytes
    rows = [row for row, name in enumerate(graph.snapshot.types) if name in CONTAINERS]
    containers = np.flatnonzero(np.isin(graph.snapshot.columns["node_type"], rows))
    largest = containers[np.argsort(-retained[containers], kind="stable")]
    explained: list[Explained] = []
    for node in largest.tolist():
        if len(explained) == LARGEST:
            break
        edge = int(tree.parent_edge[node])
        if edge >= 0 and graph.label_of(edge) == "__dict__":
            continue  # a namespace is as large as its program
        name = dotted_name(tree, node)
        why = f"{name} ({graph.type_of(node)}) alone keeps {int(retained[node]):,} bytes alive."
        explained.append(Explained(kind="large", bytes=int(retained[node]), why=why))
    if (seen := outlived(tree)) is not None:
        explained.insert(0, Explained(kind="kept-requests", bytes=seen.shallow_size_bytes, why=seen.why()))
    return Findings(
        target=", ".join(path.name for path in paths),
        basis="snapshot",
        verdict="inconclusive",
        explained=explained,
        holds_values=graph.snapshot.values is not None,
        ledger=Ledger(live_python_bytes=int(graph.size_bytes.sum())),
        missing=["a series: size is no growth; record a capture with labkit investigate"],
    )
