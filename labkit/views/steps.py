"""A retaining path as steps: each node, the reference that leads to it, and the part it plays."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.findings.model import Suspect
from labkit.views.names import shown

MANY = "*"


@dataclass(frozen=True)
class Step:
    """One node of a chain, all names as shown.

    ``edge`` is the reference that leads here, empty for the root; ``is_guilty`` marks the edge
    through which the growth hangs; ``is_retainer`` the node that the suspect's retainer names.
    """

    edge: str
    name: str
    is_root: bool = False
    is_retainer: bool = False
    is_guilty: bool = False
    grows: bool = False


def steps_of(suspect: Suspect, name_limit: int = 160) -> tuple[Step, ...]:
    """The path ``[node, edge, node, ..., node]`` as steps; without a path, retainer and growing type."""
    path = suspect.retaining_path or [suspect.retainer, "[*]", suspect.grows.type]
    nodes = path[0::2]
    edges = ["", *path[1::2]]
    if len(edges) > len(nodes):  # a path that stops at a reference: what it leads to is what grows
        nodes = [*nodes, suspect.grows.type]
    last = len(nodes) - 1
    known = suspect.retainer_step
    if known is not None and 0 <= known < last:
        retainer_row, guilty_row = known, known + 1
    else:
        retainer_row = _retainer_row(suspect.retainer, nodes, edges)
        guilty_row = _guilty_row(edges, retainer_row)
    growing_row = max((row for row in range(1, len(nodes)) if nodes[row] == suspect.grows.type), default=last)
    return tuple(
        Step(
            edge=shown(edges[row], name_limit),
            name=shown(nodes[row], name_limit) or "(no name)",
            is_root=row == 0,
            is_retainer=row == retainer_row,
            is_guilty=row == guilty_row,
            grows=row == growing_row and last > 0,
        )
        for row in range(len(nodes))
    )


def _retainer_row(retainer: str, nodes: list[str], edges: list[str]) -> int:
    """The node that the retainer's dotted name reaches; the root's child where names do not tell."""
    words = re.findall(r"\w+", retainer)
    for row in range(len(nodes) - 1, 0, -1):
        if words and words[-1] == edges[row].lstrip(".").rpartition(" ")[2]:
            return row
    return min(1, len(nodes) - 1) if len(nodes) > 2 else 0


def _guilty_row(edges: list[str], retainer_row: int) -> int:
    """The first reference of many at or below the retainer; else the last one of the chain."""
    for row in range(retainer_row + 1, len(edges)):
        if MANY in edges[row]:
            return row
    return len(edges) - 1


def shortened(steps: tuple[Step, ...], limit: int = 12) -> tuple[tuple[Step, ...], int]:
    """At most ``limit`` steps, from the middle of a longer chain none, and how many were left out.

    The gap, when there is one, is after the first third of what is returned: the root is at one end,
    the growth at the other.
    """
    if len(steps) <= limit:
        return steps, 0
    head = limit // 3
    return steps[:head] + steps[-(limit - head) :], len(steps) - limit
