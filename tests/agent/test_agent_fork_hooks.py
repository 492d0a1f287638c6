"""What is given to ``os.register_at_fork`` is kept for good by the interpreter: both walkers show it, and by whom."""

from __future__ import annotations

from pathlib import Path

from agent_targets import BOTH, Target

from labkit.heap.graph import Graph
from labkit.heap.naming import dotted_name
from labkit.heap.paths import nearest_paths

HOOKED = """
import os
class Exporter:
    def again(self): print("hook")
for number in range(5):
    os.register_at_fork(after_in_child=Exporter().again, before=Exporter().again)
take()
assert len(_hooks()) == 3 and [len(one) >= 5 for one in _hooks()].count(True) >= 2
"""


def test_both_walkers_see_what_fork_hooks_keep(target: Target, walker: Path) -> None:
    program = BOTH.format(walker=str(walker)) + "\nfrom _labkit_agent.fork import hook_lists as _hooks\n" + HOOKED
    assert "hook" not in target.run(program).stdout
    for name in ("c.heap", "p.heap"):
        graph = Graph(target.picture(name).snapshot)
        tree = nearest_paths(graph)
        nodes = [node for node in range(graph.node_count) if graph.type_of(node) == "__main__.Exporter"]
        assert len(nodes) == 10, name
        for node in nodes:
            assert tree.root_kind(node) == "thread"
            assert dotted_name(tree, node).startswith("os.register_at_fork"), name
