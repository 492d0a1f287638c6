"""The beginnings of values, for a snapshot that was asked to hold them: of texts, bytes and numbers, exact types only.

Of these types the interpreter's own code is all that runs. Nothing of this is called unless somebody asked.
"""

from array import array

MOST_CHARACTERS = 80
MOST_VALUES = 1_000_000
_LARGEST_INT_BITS = 256


def collect(objects, facts):
    """``(rows, ends, text)``: of object ``rows[i]`` the value begins with ``text[ends[i - 1]:ends[i]]``, in UTF-8.

    ``facts`` gets ``values_left_out``: how many objects have one beyond the first million.
    """
    rows, ends, parts = array("I"), array("Q"), []
    end = left_out = 0
    for row, thing in enumerate(objects):
        tell = _TELL.get(type(thing))
        if tell is None:
            continue
        if len(rows) == MOST_VALUES:
            left_out += 1
            continue
        part = tell(thing).encode("utf-8", "backslashreplace")
        parts.append(part)
        end += len(part)
        rows.append(row)
        ends.append(end)
    facts.update(values=True, values_left_out=left_out)
    return rows, ends, b"".join(parts)


def _text(text):
    return text[:MOST_CHARACTERS]


def _bytes(data):
    return data[:MOST_CHARACTERS].decode("latin-1")


def _int(number):
    return repr(number) if number.bit_length() <= _LARGEST_INT_BITS else "(a number of more than 256 bits)"


_TELL = {str: _text, bytes: _bytes, int: _int, float: repr}
