"""Find memory and connection leaks in Python services: capture, file, graph, findings, views."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.explore import Heap, open_snapshot

__version__ = "0.1.0"
__all__ = ["Heap", "__version__", "open_snapshot"]


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def __getattr__(name: str) -> Any:
    """``labkit.open_snapshot`` and ``labkit.Heap``, with what they import (NumPy, pandas) only when asked for."""
    if name in ("Heap", "open_snapshot"):
        return getattr(importlib.import_module("labkit.explore"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
