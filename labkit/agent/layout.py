"""Byte layout of a snapshot file, version 2 (3 with values); described for people in docs/capture-format.md.

A snapshot is a ZIP archive: ``header.json``, three JSON tables and one ``.npy`` column per entry of
COLUMNS. All numbers are little-endian. ``nodes`` columns have one row per object, ``edge_*`` columns
one row per reference, grouped by source: the edges of node *i* are rows ``edge_start[i]`` up to
``edge_start[i + 1]``. ``copy_*`` columns have one row per text that is there a second time.
"""

FORMAT = "labkit.heap"
VERSION = 2
#: Of a snapshot that holds values, which nobody gets unasked: an older reader refuses it rather than pass it on.
VERSION_WITH_VALUES = 3

#: column name -> (numpy dtype, array typecode)
COLUMNS = {
    "node_address": ("<u8", "Q"),
    "node_type": ("<u4", "I"),  # row in types.json
    "node_size": ("<u8", "Q"),  # shallow size in bytes, collector's header and inline attributes included
    "node_refcount": ("<i8", "q"),  # -1: immortal
    "node_name": ("<i4", "i"),  # row in labels.json: own name of a module, class or function; -1: none
    "node_site": ("<i4", "i"),  # row in sites.json; -1: not recorded
    "edge_start": ("<u8", "Q"),  # nodes + 1 rows
    "edge_target": ("<u4", "I"),
    "edge_kind": ("<u1", "B"),  # index in EDGE_KINDS
    "edge_label": ("<i4", "i"),  # row in labels.json, or a position for "index"; -1: none
    "root_node": ("<u4", "I"),
    "root_kind": ("<u1", "B"),  # index in ROOT_KINDS
    "root_label": ("<i4", "i"),  # row in labels.json
    "copy_node": ("<u4", "I"),  # a str or bytes that says the same as one found earlier; ascending
    "copy_of": ("<u4", "I"),  # the first that says it
}
#: Further columns of a snapshot that holds values; the text itself is the member VALUES, in UTF-8
VALUE_COLUMNS = {
    "value_node": ("<u4", "I"),  # whose value begins so; ascending
    "value_end": ("<u8", "Q"),  # where it ends in the text; it begins where the one before ends
}
VALUES = "values.txt"
#: column name -> the version it came with; a reader takes it as empty in an older file
SINCE = {"copy_node": 2, "copy_of": 2}

TABLES = ("types", "labels", "sites")

EDGE_KINDS = (
    "unknown",  # a reference nobody could name
    "attribute",  # instance, class or module attribute, slot or C member
    "key",  # the key object of a dict entry
    "value",  # the value of a dict entry; label: the key, if it is a name from the program's text
    "index",  # position in a list, tuple or deque
    "element",  # member of a set or another container without positions
    "local",  # local variable of a frame or generator
    "closure",  # content of a closure cell
    "class",  # an object's type
    "internal",  # a part the interpreter keeps: bases, code, globals, defaults
)
(UNKNOWN, ATTRIBUTE, KEY, VALUE, INDEX, ELEMENT, LOCAL, CLOSURE, CLASS, INTERNAL) = range(len(EDGE_KINDS))

ROOT_KINDS = ("module", "thread", "builtin-type")
(ROOT_MODULE, ROOT_THREAD, ROOT_BUILTIN_TYPE) = range(len(ROOT_KINDS))

MAX_LABEL_CHARACTERS = 100
