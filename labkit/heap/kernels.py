"""The loops over heap graphs: compiled where a compiler was at hand at set-up, else their plain twins.

``LABKIT_KERNELS=plain`` in the environment chooses the twins.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from labkit.heap import plain

compiled: ModuleType | None
try:
    compiled = importlib.import_module("labkit.heap._kernels")
except ImportError:
    compiled = None

#: The module whose ``nearest``, ``dominators``, ``fold`` and ``incoming`` are used.
loops: ModuleType = plain if compiled is None or os.environ.get("LABKIT_KERNELS") == "plain" else compiled
