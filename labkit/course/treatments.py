"""Treatments of the symptom: calls that make a curve flat and leave what grows where it is."""

from __future__ import annotations

import ast

#: What is called, and what to say of it.
TREATMENTS = {
    "gc.collect": (
        "gc.collect() walks the whole heap each time it is called, and frees cycles only: what somebody still refers "
        "to stays. Where it helps, a cycle was left to be collected; find what closes the cycle"
    ),
    "gc.freeze": "gc.freeze() hides objects from the collector; none is freed by it",
    "malloc_trim": "malloc_trim() gives free memory back to the system; what is still referred to is not free",
    "os._exit": "a worker that ends takes its memory along, and the next one grows as it did: a restart is no cure",
    "os.kill": "a worker that ends takes its memory along, and the next one grows as it did: a restart is no cure",
    "os.execv": "a worker that begins anew grows as before: a restart is no cure",
    "sys.exit": "a worker that ends takes its memory along, and the next one grows as it did: a restart is no cure",
    "importlib.reload": "a module that is loaded again begins with empty tables: a restart is no cure",
    "resource.setrlimit": "a limit turns growth into errors; it does not end it",
}


def new_treatments(source: str, original: str) -> list[str]:
    """What to say of each treatment that ``source`` has and ``original`` had not. Raises SyntaxError."""
    told = [TREATMENTS[name] for name in sorted(_called(source) - _called(original))]
    return list(dict.fromkeys(told))


def _called(source: str) -> set[str]:
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    } | {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
    full = {f"{imported.get(first, first)}{dot}{rest}" for first, dot, rest in (name.partition(".") for name in names)}
    return {known for known in TREATMENTS for name in full if name == known or name.endswith(f".{known}")}
