"""DOT, the language of Graphviz: a path, or what is around a node. No program of Graphviz is needed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from labkit.heap.image import HeapImage
from labkit.heap.retained_sets import Reference, references, retainers
from labkit.store import layout
from labkit.store.beside import written_beside
from labkit.views.names import shown
from labkit.views.units import bytes_text

#: A picture with more nodes is no picture; of each node, references beyond this are left out and said so.
MOST_PER_NODE = 12


def path_dot(image: HeapImage, node: int) -> str:
    """The nearest path from a root to ``node``, from top to bottom."""
    chain = image.tree.chain(node)
    found = [Reference(edge, source, target) for (_, source), (edge, target) in pairwise(chain)]
    first = chain[0][1]
    row = image.tree.root_of[node]
    root = f"{image.tree.roots.kind[row]} {image.tree.roots.label[row]}".strip()
    lines = [f"  root [label={_quoted(root)}, shape=plaintext];", f"  root -> {first};"]
    return _digraph(image, [here for _, here in chain], found, lines, chosen=node)


def neighbourhood_dot(image: HeapImage, node: int) -> str:
    """``node`` with those that refer to it and those it refers to, at most twelve of each."""
    into, out = retainers(image.graph, node), references(image.graph, node)
    found = into[:MOST_PER_NODE] + [one for one in out if one.source != one.target][:MOST_PER_NODE]
    lines = []
    for count, name, arrow in ((len(into), "above", f"above -> {node}"), (len(out), "below", f"{node} -> below")):
        if count > MOST_PER_NODE:
            lines.append(f'  {name} [label="and {count - MOST_PER_NODE} more", shape=plaintext];')
            lines.append(f"  {arrow} [style=dotted];")
    nodes = dict.fromkeys([node, *(one.source for one in found), *(one.target for one in found)])
    return _digraph(image, nodes, found, lines, chosen=node)


def write_dot(text: str, path: Path) -> None:
    """Write a drawing to ``path``, beside first and then renamed. Raises CannotWrite."""
    with written_beside(path) as stream:
        stream.write(text)


def _digraph(
    image: HeapImage, nodes: Iterable[int], edges: Iterable[Reference], lines: list[str], *, chosen: int
) -> str:
    drawn = [*lines]
    for node in nodes:
        own = image.graph.own_name(node)
        size = bytes_text(int(image.dominators.retained_bytes[node]))
        label = f"{shown(image.graph.type_of(node))}{' ' + shown(own) if own else ''}\nretains {size}"
        drawn.append(f"  {node} [label={_quoted(label)}{', penwidth=3' if node == chosen else ''}];")
    for one in edges:
        label = image.graph.label_of(one.edge)
        kind = layout.EDGE_KINDS[int(image.graph.edge_kind[one.edge])]
        text = f"[{label}]" if kind == "index" else shown(label) if label else kind
        drawn.append(f"  {one.source} -> {one.target} [label={_quoted(text)}];")
    head = ["digraph heap {", '  node [shape=box, fontname="sans-serif"];', '  edge [fontname="sans-serif"];']
    return "\n".join([*head, *drawn, "}"]) + "\n"


def _quoted(text: str) -> str:
    """A DOT string; ``shown`` has made acting characters visible before, line ends are ours."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
