"""What a notebook calls: ``from labkit import notebook as lab``. Nothing is measured in the kernel itself.

Each name a lesson uses is listed here; a lesson that needs a helper gets it in a module of this package.
"""

from labkit.notebook.drawing import references
from labkit.notebook.exercises import check, exercise, hint, progress, reset, reveal
from labkit.notebook.live import alive_after, answers, heap_after, what_ran
from labkit.notebook.pictures import chain, memory, show
from labkit.notebook.running import analyse, investigate, open_recorded
from labkit.notebook.tables import evidence, growth_per_rung, shapes, types_that_grew

__all__ = [
    "alive_after",
    "analyse",
    "answers",
    "chain",
    "check",
    "evidence",
    "exercise",
    "growth_per_rung",
    "heap_after",
    "hint",
    "investigate",
    "memory",
    "open_recorded",
    "progress",
    "references",
    "reset",
    "reveal",
    "shapes",
    "show",
    "types_that_grew",
    "what_ran",
]
