"""The registry of warnings, which C code puts into a module under a name that no Python code needs to have."""

from __future__ import annotations

from pathlib import Path

from agent_targets import LOADED, Target

from labkit.heap.graph import Graph
from labkit.heap.naming import dotted_name
from labkit.heap.paths import nearest_paths

PROGRAM = """
import sys, types, warnings
warnings.showwarning = lambda *_: None
shop = types.ModuleType("shop")
sys.modules["shop"] = shop
exec("import warnings\\nfor number in range(700): warnings.warn('%d is old' % number)", vars(shop))
del sys.modules["warnings"], warnings, shop.warnings
take("x.heap")
"""


def test_it_is_named_whoever_walks(target: Target, walker: Path) -> None:
    target.run(PROGRAM + LOADED.format(walker=str(walker)) + "\ntake('c.heap')")
    for name, walked_by in (("x.heap", "python"), ("c.heap", "c")):
        snapshot = target.picture(name).snapshot
        assert snapshot.header["walker"] == walked_by
        graph = Graph(snapshot)
        tree = nearest_paths(graph)
        crowded = [
            node
            for node in range(graph.node_count)
            if graph.type_of(node) == "dict" and tree.chain(node)[0][1] != node and len(graph.edges_of(node)) > 1_400
        ]
        assert "shop.__warningregistry__" in [dotted_name(tree, node) for node in crowded]
