"""Names that may enter a snapshot, and the table that holds them.

A snapshot holds no values. A name may enter when the program's own text wrote it: then CPython has
interned it, which data read from a request, a file or a database is not. Names that look like
tokens are left out even so.
"""

import sys

from .layout import MAX_LABEL_CHARACTERS

MAX_DIGITS = 4
NAME_PARTS = {"<locals>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<module>"}


class Labels:
    """A growing table of names; each is kept as bytes, so that no counted reference to a string stays."""

    def __init__(self):
        self.rows = []
        self._row_of = {}
        self._row_of_key = {}

    def row(self, name):
        """The row of a name that is known to be harmless."""
        data = name.encode("utf-8", "replace")
        row = self._row_of.get(data)
        if row is None:
            row = self._row_of[data] = len(self.rows)
            self.rows.append(data)
        return row

    def row_of_key(self, key):
        """The row of a dictionary key or attribute name, or -1 when it may not be shown."""
        if type(key) is not str:
            return -1
        row = self._row_of_key.get(id(key))
        if row is None:
            row = self.row(key) if is_from_program_text(key) else -1
            self._row_of_key[id(key)] = row
        return row


def is_from_program_text(key):
    """Whether a string is an identifier the interpreter has interned and does not look like a token."""
    if not key.isidentifier() or not looks_like_a_name(key):
        return False
    copy = "".join((key[:1], key[1:]))
    return copy is key or sys.intern(copy) is not copy


def looks_like_a_name(text):
    """Short and with few digits; keys, hashes and session tokens are neither."""
    return len(text) <= MAX_LABEL_CHARACTERS // 2 and sum(map(str.isdigit, text)) <= MAX_DIGITS


def dotted_name(*parts):
    """Join names of a module, class or function; '?' for whatever is no dotted name of sane length."""
    for part in parts:
        if type(part) is not str:
            return "?"
    text = ".".join(part for part in parts if part)
    if len(text) > 2 * MAX_LABEL_CHARACTERS:
        return "?"
    for piece in text.split("."):
        if not (piece.isidentifier() or piece in NAME_PARTS):
            return "?"
    return text
