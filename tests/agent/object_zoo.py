"""The object zoo: how each kind of object is built, and every reference of it as a snapshot has to spell it.

A row is the statements that build an object and a line ``>> path: reference, reference, ...``. The path starts
at a global name and goes on by labels, by positions, or by ``<type>`` where a reference has no label. A
reference is ``kind label > type of the target``, without the label where there is none; the target of interest
is an instance of ``Treasure``. Behind it may stand the versions that have it: ``(3.11)``, ``(3.12-)`` for 3.11
and 3.12, ``(3.12+)``, ``(3.13+)``. References are compared as a multiset, without those to the object's
class. ``...`` allows for more that have names: attributes of the library's own classes differ between patch
releases. ``unknown > type`` says that nobody can tell the name; the reasons are in ``docs/limits.md``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from object_zoo_language import LANGUAGE
from object_zoo_library import LIBRARY

START = """
import abc, asyncio, collections, concurrent.futures, contextlib, contextvars, csv, ctypes, dataclasses, enum
import functools, io, itertools, json, logging, mmap, operator, queue, re, sqlite3, struct, sys, threading, types
import typing, weakref, xml.etree.ElementTree
class Treasure: pass
class OnlyInC: pass
class Plain: pass
class Weak: __slots__ = ("__weakref__",)
def T(): return Treasure()
only_in_c = OnlyInC(); ctypes.pythonapi.Py_IncRef(ctypes.py_object(only_in_c)); del only_in_c
def names(colour, first, second, third, entry, custom, note, payload, left, right, _Mangled__private): ...
"""

#: NumPy tells the collector nothing; what a view pins is read from its attributes.
NUMPY = """
import numpy
owner = numpy.arange(9.0)
view = owner[2:5]
>> owner: attribute dtype > numpy.dtypes.Float64DType
>> view: attribute base > numpy.ndarray, attribute dtype > numpy.dtypes.Float64DType
over_bytes = numpy.frombuffer(bytearray(16), dtype="u1")
>> over_bytes: attribute base > memoryview, attribute dtype > numpy.dtypes.UInt8DType
class Series(numpy.ndarray): pass
series = owner.view(Series); series.note = Plain()
>> series: attribute base > numpy.ndarray, attribute dtype > numpy.dtypes.Float64DType, internal __dict__ > dict
"""

VERSIONS = ("3.11", "3.12", "3.13")
_RANGES = {
    "3.11": ("3.11",),
    "3.12": ("3.12",),
    "3.12-": ("3.11", "3.12"),
    "3.12+": ("3.12", "3.13"),
    "3.13+": ("3.13",),
}


@dataclass(frozen=True)
class Row:
    """One object of the zoo and its references, each with the versions that have it."""

    path: tuple[str | int, ...]
    references: tuple[tuple[str, tuple[str, ...]], ...]
    may_have_more: bool

    def expected(self, version: str) -> Counter[str]:
        """The references as spelled, in one version."""
        return Counter(spelled for spelled, versions in self.references if version in versions)


def read_rows(text: str) -> tuple[str, list[Row]]:
    """The program that builds the objects, and the rows about them."""
    program, rows = [], []
    for block in re.split(r"\n(?!   )", text):
        if block.startswith(">> "):
            rows.append(_read_row(" ".join(block[3:].split())))
        else:
            program.append(block)
    return "\n".join(program), rows


def _read_row(line: str) -> Row:
    path, _, listed = line.partition(":")
    references, may_have_more = [], False
    for reference in filter(None, listed.strip().split(", ")):
        if reference == "...":
            may_have_more = True
            continue
        spelled, _, versions = reference.partition(" (")
        references.append((spelled, _RANGES[versions.rstrip(")")] if versions else VERSIONS))
    steps = re.findall(r"<[^>]*>|[^.]+", path)
    return Row(
        tuple(int(step) if step.isdigit() else step for step in steps),
        tuple(references),
        may_have_more,
    )


PROGRAM, ROWS = read_rows(START + LANGUAGE + LIBRARY)
NUMPY_PROGRAM, NUMPY_ROWS = read_rows(NUMPY)
