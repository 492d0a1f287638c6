"""How a path is said: the readable steps, and the dotted name of what holds the growth."""

from __future__ import annotations

import re

from labkit.heap.graph import Graph
from labkit.heap.paths import PathTree
from labkit.heap.roots import GARBAGE, HELD_FROM_C
from labkit.store import layout

#: An attribute chain from a module is shown as such up to this many names; longer ones by class.
PLAIN_STEPS = 3
#: A name is not made longer than this; what leads so far is a chain of objects, not a name.
LONG_NAME = 200


def chain_steps(tree: PathTree, node: int) -> list[str]:
    """The path to ``node`` as a reader wants it: names, then types, interpreter detail left out.

    For example ``["module shop.sessions", "STORE", "dict", "[*]", "Session"]``.
    """
    return _steps_and_row(tree, node, node)[0]


def row_in_chain(tree: PathTree, node: int, above: int) -> int | None:
    """Which of the nodes in ``chain_steps`` to ``node`` is ``above``, or shows it; 0 is the root."""
    return _steps_and_row(tree, node, above)[1]


def _steps_and_row(tree: PathTree, node: int, wanted: int) -> tuple[list[str], int | None]:
    graph = tree.graph
    steps, row = [_root_words(tree, node)], None
    chain = tree.chain(node)
    for position, (edge, here) in enumerate(chain):
        if edge >= 0 and not _is_plumbing(graph, edge, here, position == len(chain) - 1):
            name = _edge_words(graph, edge)
            pair = [name, _known_name(graph, here) or graph.type_of(here)]
            if steps[-4:] != pair + pair:  # a chain of many equal links is shown as two
                steps += pair
        elif edge < 0 and graph.type_of(here) not in ("module", "frame") and tree.root_kind(here) != "builtin-type":
            steps += ["[*]", _known_name(graph, here) or graph.type_of(here)]
        if here == wanted:
            row = (len(steps) - 1) // 2
    return steps, row


def dotted_name(tree: PathTree, node: int, *, as_reached: bool = False) -> str:
    """The name a programmer would look for: ``shop.sessions.STORE``, ``shop.api.Export._open``.

    Modules, classes and functions go by their own names; a container reached through an instance goes
    by the class of that instance, unless plain attributes of a module lead there. A library's object that the
    app holds goes by the app's name for it: ``shop.Mailer.outbox`` for the deque in a ``queue.Queue``.
    ``as_reached``: the last of them by what refers to it, whatever its own name.
    """
    graph = tree.graph
    name, plain, owner, in_namespace = "", 0, "", False
    held = _HeldByApp(tree)
    for edge, here in tree.chain(node):
        own = "" if as_reached and here == node else _known_name(graph, here)
        kind = graph.type_of(here)
        before = name
        if edge < 0:
            name = own or tree.roots.label[int(tree.root_of[here])] or _unnamed(tree, here)
            plain = 0 if kind == "module" else PLAIN_STEPS + 1
        elif own and kind not in ("code", "frame"):
            name, plain = own, (0 if kind == "module" else 1)
        else:
            name, plain = _extend(graph, edge, name, plain, owner, in_namespace)
        held.step(edge, here, before, name)
        in_namespace = edge >= 0 and graph.edge_kind[edge] == layout.INTERNAL
        owner = kind if "." in kind and not own else owner if _is_instance_dict(graph, edge) else ""
    return re.sub(r"(\[\*\])+", "[*]", held.name or name).removesuffix("[*]")


class _HeldByApp:
    """Follows a path to where the app holds an object of a library, and at most one attribute into that object.

    ``name`` is then the app's name for it, with that attribute unless the object is a container; else empty.
    """

    def __init__(self, tree: PathTree) -> None:
        self._tree = tree
        self._by_app = False  # whether the last thing with a class or a name of its own was the app's
        self._inner = -1  # the last object of a library
        self._attributes = 0
        self.name = ""

    def step(self, edge: int, here: int, before: str, name: str) -> None:
        """Go on to the node ``here``; ``before`` and ``name`` are what the path was called without and with it."""
        graph, libraries = self._tree.graph, self._tree.libraries
        kind, own = graph.type_of(here), _known_name(graph, here)
        if self.name:
            self._extend(edge, before, name)
        if own:
            self._by_app, self.name = not libraries.owns(own), ""
        elif "." in kind and not libraries.owns(kind):
            self._by_app, self.name = True, ""
        elif "." in kind:
            if self._by_app and edge >= 0:
                self.name, self._attributes = name, 0
            self._by_app, self._inner = False, here

    def _extend(self, edge: int, before: str, name: str) -> None:
        if self._is_attribute(edge):
            self._attributes += 1
            if self._attributes > 1:
                self.name = ""
            elif not self._tree.libraries.is_container(self._inner):
                self.name = _longer(self.name, f".{_edge_words(self._tree.graph, edge)}")
        elif name.startswith(before):
            self.name += name[len(before) :]

    def _is_attribute(self, edge: int) -> bool:
        graph = self._tree.graph
        if graph.edge_kind[edge] != layout.VALUE:
            return bool(graph.edge_kind[edge] == layout.ATTRIBUTE)
        return _is_instance_dict(graph, int(self._tree.parent_edge[graph.source_of(edge)]))


def _unnamed(tree: PathTree, node: int) -> str:
    kind = tree.graph.type_of(node)
    return f"{kind} held from C" if tree.root_kind(node) == HELD_FROM_C and "." not in kind else kind


def local_name(tree: PathTree, node: int) -> str:
    """The end of the path to ``node``, from the nearest named object or instance of a class on.

    The same object has the same local name from whichever root it is reached: ``shop.Metrics.samples``.
    """
    graph, name = tree.graph, ""
    for edge, here in tree.chain(node):
        kind, own = graph.type_of(here), _known_name(graph, here)
        if own and kind not in ("code", "frame"):
            name = own
        elif "." in kind and here != node:
            name = kind
        elif edge >= 0 and not _is_instance_dict(graph, edge):
            name = _longer(name, f".{_edge_words(graph, edge)}")
    return name


def _extend(graph: Graph, edge: int, name: str, plain: int, owner: str, in_namespace: bool) -> tuple[str, int]:
    kind, label = int(graph.edge_kind[edge]), graph.label_of(edge)
    if kind == layout.INTERNAL and label in ("__dict__", "__closure__", "__self__", "__wrapped__"):
        return name, plain
    if _is_context(graph, graph.source_of(edge)):
        return (f"context variable {label} of {name}" if label else name), PLAIN_STEPS + 1
    if kind == layout.CLOSURE:
        return _longer(name, f".{label or '?'}"), PLAIN_STEPS + 1
    if kind == layout.VALUE and label and not in_namespace:
        return _longer(name, f"[{label!r}]"), PLAIN_STEPS + 1
    if kind in (layout.ATTRIBUTE, layout.VALUE, layout.LOCAL) and label:
        if owner and plain > PLAIN_STEPS - 1:
            return f"{owner}.{label}", plain
        return _longer(name, f".{label}"), plain + 1
    if kind == layout.INTERNAL:
        return _longer(name, f".{label}") if label else name, plain
    if kind == layout.ELEMENT and graph.type_of(graph.source_of(edge)).endswith("_lru_cache_wrapper"):
        return name, plain
    if kind == layout.INDEX and graph.type_of(graph.source_of(edge)) == "tuple":
        return name, PLAIN_STEPS + 1
    return _longer(name, "[*]"), PLAIN_STEPS + 1


def _longer(name: str, step: str) -> str:
    """The name with one more step, unless it is long or ends in this step twice: chains have no end."""
    return name if len(name) > LONG_NAME or name.endswith(step + step) else name + step


def _known_name(graph: Graph, node: int) -> str:
    """The node's own name; empty where it has none or one that could not be shown."""
    own = graph.own_name(node)
    return "" if own == "?" else own


def _is_instance_dict(graph: Graph, edge: int) -> bool:
    return edge >= 0 and graph.edge_kind[edge] == layout.INTERNAL and graph.label_of(edge) == "__dict__"


def _root_words(tree: PathTree, node: int) -> str:
    kind = tree.root_kind(node)
    first = tree.chain(node)[0][1]
    own = _known_name(tree.graph, first)
    label = tree.roots.label[int(tree.root_of[node])]
    if kind == "module":
        return f"module {own or label}"
    if kind == "thread":
        return f"{label}, running {own}" if own else label
    if kind == HELD_FROM_C:
        return "held from C"
    if kind == GARBAGE:
        return "nothing: garbage that waits for the collector"
    return f"type {own or label}"


def _edge_words(graph: Graph, edge: int) -> str:
    kind, label = int(graph.edge_kind[edge]), graph.label_of(edge)
    if kind in (layout.INDEX, layout.ELEMENT) or (kind == layout.VALUE and not label):
        return "[*]"
    if kind == layout.KEY:
        return "key"
    if kind == layout.CLASS:
        return "class"
    if kind == layout.CLOSURE:
        return f"closure variable {label or '?'}"
    if kind == layout.LOCAL:
        return f"local {label or '?'}"
    return label or "?"


def _is_plumbing(graph: Graph, edge: int, here: int, last: bool) -> bool:
    """Steps every Python programmer takes for granted: ``__dict__``, closure tuples and cells."""
    if last:
        return False
    kind, label = int(graph.edge_kind[edge]), graph.label_of(edge)
    if kind == layout.INTERNAL and label in ("__dict__", "__closure__"):
        return True
    return graph.type_of(here) == "cell" or (_is_context(graph, graph.source_of(edge)) and not label)


def _is_context(graph: Graph, node: int) -> bool:
    """Whether it is a context or a part of one: an array-mapped trie of its variables (Python/hamt.c)."""
    return graph.type_of(node).startswith("hamt") or graph.type_of(node) in ("Context", "_contextvars.Context")
