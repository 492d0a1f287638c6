"""Ask one heap questions from Python or a notebook: ``heap = labkit.open_snapshot(path)``."""

from labkit.explore.heap import Heap, open_snapshot
from labkit.explore.nodes import Edge, Node, Nodes

__all__ = ["Edge", "Heap", "Node", "Nodes", "open_snapshot"]
