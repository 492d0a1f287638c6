"""A small part of a heap as a drawing: the objects of some types, and who refers to whom."""

from __future__ import annotations

from fnmatch import fnmatchcase

from IPython.display import HTML

from labkit.errors import NoSuchNode
from labkit.explore import Heap, Node
from labkit.views.names import shown
from labkit.views.pictures import picture
from labkit.views.references import WIDTH, Arrow, Box, references_alt, references_svg

#: What is drawn as the references that go through it.
CONTAINERS = ("dict", "list", "tuple", "set", "frozenset", "collections.deque", "collections.defaultdict")
_MOST = 15


def references(heap: Heap, module: str, type: str = "") -> HTML:  # noqa: A002
    """What a module holds: objects of ``type`` (wildcards; all of the module's own when unsaid), from the module down.

    Containers are left out, the references through them are not. Raises NoSuchNode when there is no such module.
    """
    roots = heap.select("module", name=module)
    if not roots:
        raise NoSuchNode(f"There is no module {module!r} in this heap.")
    boxes, arrows = drawn(roots[0], type or f"{module}.*")
    return HTML(picture(references_svg(boxes, arrows), references_alt(boxes, arrows), WIDTH))


def drawn(root: Node, pattern: str) -> tuple[list[Box], list[Arrow]]:
    """Boxes from ``root`` on, nearest first, at most 15, and the arrows between them."""
    found, rows, between = [root], {root: 0}, []
    for holder in found:
        for label, node in _held(holder, pattern):
            if node not in rows:
                if len(found) == _MOST:
                    continue
                rows[node] = rows[holder] + 1
                found.append(node)
            between.append((holder, node, label))
    places = {node: place for place, node in enumerate(found)}
    boxes = [Box(_name(node), node.shallow_size_bytes, node.retained_size_bytes, rows[node]) for node in found]
    return boxes, [Arrow(places[a], places[b], label) for a, b, label in dict.fromkeys(between)]


def _held(holder: Node, pattern: str) -> list[tuple[str, Node]]:
    """What ``holder`` refers to, itself or through containers, with the name that the way begins with."""
    ways, seen, held = [("", holder)], {holder}, []
    for label, node in ways:
        for edge in node.references():
            name = label or ("" if edge.name == "__dict__" else shown(edge.name))
            if fnmatchcase(edge.node.type, pattern):
                held.append((name, edge.node))
            elif edge.node.type in CONTAINERS and edge.node not in seen and edge.name != "__builtins__":
                seen.add(edge.node)
                ways.append((name, edge.node))
    return held


def _name(node: Node) -> str:
    return f"module {node.name}" if node.type == "module" else node.type.rpartition(".")[2]
