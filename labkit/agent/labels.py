"""Names that may enter a snapshot, and the table that holds them.

A snapshot holds no values. A name may enter when the program's own text wrote it: when some code object
names it, or a module has it as a global name. Names that look like tokens are left out even so, and
with them whatever a program took from a request, a file or a database and made a key or an attribute.
"""

import sys
from types import CodeType

from .layout import MAX_LABEL_CHARACTERS

MAX_DIGITS = 4
_WITHOUT_DIGITS = dict.fromkeys(map(ord, "0123456789"))
#: Names the interpreter's own C code gives: no Python code has them. The registry is _warnings.c's.
C_NAMES = ("__warningregistry__",)
NAME_PARTS = {"<locals>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<module>"}


class Labels(dict[str, int]):
    """Row of each name: ``labels[name]``, -1 for a name that may not be shown.

    While it is not emptied it refers to the program's own strings, which raises their reference counts.
    """

    def __init__(self, program_names):
        super().__init__()
        self.rows = []
        self._program_names = program_names

    def __missing__(self, name):
        return self.row(name) if name in self._program_names else -1

    def row(self, name):
        """The row of a name that is known to be harmless."""
        row = self.get(name)
        if row is None:
            row = self[name] = len(self.rows)
            self.rows.append(name.encode("utf-8", "replace"))
        return row

    def of_key(self, key):
        """The row of a dictionary key or attribute name of any type."""
        return self[key] if type(key) is str else -1

    def bulk(self):
        """What is large or refers to the program's strings; none of it is needed once all is named."""
        return [self, self.rows, self._program_names]


def program_names(codes, spaces):
    """The set of names in the program's text that may be shown.

    ``spaces``: modules' dictionaries and classes' annotations, whose code is no longer in memory.
    """
    names = set(C_NAMES)
    seen = set()
    while codes:
        code = codes.pop()
        if id(code) not in seen:
            seen.add(id(code))
            codes += _add_names_of(code, names)
    for space in spaces:
        names.update(key for key in dict.keys(space) if type(key) is str and key not in names and is_interned(key))
    return {name for name in names if name.isidentifier() and looks_like_a_name(name)}


def _add_names_of(code, names):
    """Add what a code object names; return the code objects within it."""
    names.add(code.co_name)
    names.update(code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    inner = []
    for constant in code.co_consts:
        kind = type(constant)
        if kind is str:
            names.add(constant)
        elif kind is CodeType:
            inner.append(constant)
        elif kind is tuple or kind is frozenset:
            names.update(part for part in constant if type(part) is str)
    return inner


def is_interned(key):
    """Whether the interpreter knows an equal string by address, as it does of all names in program text."""
    copy = "".join((key[:1], key[1:]))
    return copy is key or sys.intern(copy) is not copy


def looks_like_a_name(text):
    """Short and with few digits; keys, hashes and session tokens are neither."""
    return len(text) <= MAX_LABEL_CHARACTERS // 2 and len(text) - len(text.translate(_WITHOUT_DIGITS)) <= MAX_DIGITS


def dotted_name(*parts):
    """Join names of a module, class or function; '?' for whatever is no dotted name of sane length."""
    for part in parts:
        if type(part) is not str:
            return "?"
    text = ".".join(part for part in parts if part)
    if len(text) > 2 * MAX_LABEL_CHARACTERS:
        return "?"
    if text.replace(".", "_").isidentifier() and looks_like_a_name(text):
        return text  # most names are that short and simple
    for piece in text.split("."):
        if piece not in NAME_PARTS and not (piece.isidentifier() and looks_like_a_name(piece)):
            return "?"
    return text


def entry_of(space, name):
    """What a dictionary has under a name, without hashing or comparing foreign keys; None when nothing."""
    for key, value in dict.items(space):
        if type(key) is str and key == name:
            return value
    return None
