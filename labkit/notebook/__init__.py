"""What a notebook calls: ``from labkit import notebook as lab``. Nothing is measured in the kernel itself.

Each name a lesson uses is listed here; a lesson that needs a helper gets it in a module of this package.
"""

from labkit.drive.options import RecordOptions
from labkit.notebook.databases import database
from labkit.notebook.drawing import references
from labkit.notebook.exercises import check, exercise, hint, progress, reset, reveal
from labkit.notebook.opinions import cost_of_tracing, five_tools, side_by_side
from labkit.notebook.outliving import alive_after, answers, heap_after, what_ran
from labkit.notebook.pictures import chain, memory, outside, show
from labkit.notebook.running import analyse, investigate, open_recorded, record
from labkit.notebook.scraping import alerts, scraped
from labkit.notebook.serving import serve
from labkit.notebook.tables import evidence, growth_per_rung, ledger, shapes, types_that_grew
from labkit.notebook.terminal import source, terminal
from labkit.notebook.unknown import unknown

__all__ = [
    "RecordOptions",
    "alerts",
    "alive_after",
    "analyse",
    "answers",
    "chain",
    "check",
    "cost_of_tracing",
    "database",
    "evidence",
    "exercise",
    "five_tools",
    "growth_per_rung",
    "heap_after",
    "hint",
    "investigate",
    "ledger",
    "memory",
    "open_recorded",
    "outside",
    "progress",
    "record",
    "references",
    "reset",
    "reveal",
    "scraped",
    "serve",
    "shapes",
    "show",
    "side_by_side",
    "source",
    "terminal",
    "types_that_grew",
    "unknown",
    "what_ran",
]
