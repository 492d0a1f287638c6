"""Parts of C objects that no descriptor shows, by the order in which their ``tp_traverse`` tells of them.

The order is that of CPython's sources (``Modules/itertoolsmodule.c``, ``Modules/_asynciomodule.c``,
``Objects/iterobject.c`` and so on), the words are those of the constructor's signature or of the attribute
a person would write. A part that is NULL is not told, so an order counts only if just so many parts are
left unnamed; otherwise they stay unnamed. ``-`` stands for a part without a name, ``*`` for any number of
elements. Both walkers use this one table; the compiled one is given it.
"""

import sys

PAIRWISE = ["iterator", "iterator result", "iterator last result"]
if sys.version_info < (3, 13):
    PAIRWISE = ["iterator", "iterator last"]

_ORDERS = {
    "function": "__annotations__",
    "functools._lru_cache_wrapper": "* - __wrapped__ - - -",
    "functools.KeyWrapper": "cmp",
    "mappingproxy": "mapping",
    "dict_keys": "mapping",
    "dict_values": "mapping",
    "dict_items": "mapping",
    "odict_keys": "mapping",
    "odict_values": "mapping",
    "odict_items": "mapping",
    "memoryview": "buffer",
    "managedbuffer": "obj",
    "weakref.ProxyType": "__callback__",
    "weakref.CallableProxyType": "__callback__",
    "_contextvars.ContextVar": "default",
    "_contextvars.Token": ("context var", "context var old_value"),
    "_asyncio.Future": ("_callbacks _callbacks", "_callbacks _callbacks _callbacks"),
    "_asyncio.Task": (
        "_context _name",
        "_context _name -",
        "_context _name _callbacks _callbacks",
        "_context _name _callbacks _callbacks _callbacks",
    ),
    "_asyncio.FutureIter": "future",
    "TaskStepMethWrapper": ("task", "task argument"),
    "async_generator_asend": ("generator", "generator value"),
    "async_generator_athrow": ("generator", "generator arguments"),
    "coroutine_wrapper": "coroutine",
    # iterators
    "list_iterator": "iterable",
    "list_reverseiterator": "iterable",
    "tuple_iterator": "iterable",
    "set_iterator": "iterable",
    "dict_keyiterator": "iterable",
    "dict_valueiterator": "iterable",
    "dict_itemiterator": ("iterable", "iterable result"),
    "dict_reversekeyiterator": "iterable",
    "dict_reversevalueiterator": "iterable",
    "dict_reverseitemiterator": ("iterable", "iterable result"),
    "odict_iterator": ("iterable", "iterable key"),
    "str_iterator": "iterable",
    "str_ascii_iterator": "iterable",
    "bytes_iterator": "iterable",
    "bytearray_iterator": "iterable",
    "memory_iterator": "iterable",
    "array.arrayiterator": "iterable",
    "_collections._deque_iterator": "iterable",  # since 3.12 under collections
    "_collections._deque_reverse_iterator": "iterable",
    "collections._deque_iterator": "iterable",
    "collections._deque_reverse_iterator": "iterable",
    "generic_alias_iterator": "iterable",
    "iterator": "iterable",
    "callable_iterator": "callable sentinel",
    "reversed": "sequence",
    "enumerate": ("iterator result", "iterator index result"),
    "zip": "iterators result",
    "map": "iterators function",
    "filter": "iterator function",
    "itertools.accumulate": ("function iterator initial", "function iterator total initial"),
    "itertools.chain": ("iterables", "iterables iterator"),
    "itertools.combinations": ("pool", "pool result"),
    "itertools.combinations_with_replacement": ("pool", "pool result"),
    "itertools.compress": "data selectors",
    "itertools.count": "count step",
    "itertools.cycle": ("saved", "iterator saved"),
    "itertools.dropwhile": "iterator predicate",
    "itertools.filterfalse": "iterator function",
    "itertools.groupby": ("iterator key", "iterator key target_key current_key current_value"),
    "itertools._grouper": "parent target_key",
    "itertools.islice": "iterator",
    "itertools.pairwise": PAIRWISE,
    "itertools.permutations": ("pool", "pool result"),
    "itertools.product": ("pools", "pools result"),
    "itertools.repeat": "object",
    "itertools.starmap": "iterator function",
    "itertools.takewhile": "iterator predicate",
    "itertools._tee": "data",
    "itertools._tee_dataobject": "iterator *",
    "itertools.zip_longest": "iterators result fillvalue",
    "operator.itemgetter": "item",
    "operator.attrgetter": "attr",
    "operator.methodcaller": "name args kwargs",
    # values, files, tables
    "_csv.reader": "iterator fields",
    "_io.BytesIO": "buffer",
    "_struct.Struct": "format",
    "_json.Scanner": "memo",
    "sqlite3.Connection": "statement_cache cursors blobs",
    "sqlite3.Row": "data description",
    "xml.etree.ElementTree.Element": "tag text tail *",
}

#: ``{type name: orders}``; an order is a tuple of words.
PARTS = {
    name: tuple(tuple(order.split()) for order in ([orders] if type(orders) is str else orders))
    for name, orders in _ORDERS.items()
}
_ORDERS.clear()


def names_of(orders, count):
    """The words for ``count`` unnamed parts, ``*`` drawn out; None when no order has so many."""
    for order in orders:
        if "*" in order:
            place, more = order.index("*"), count - len(order) + 1
            if more >= 0:
                return order[:place] + ("*",) * more + order[place + 1 :]
        elif len(order) == count:
            return order
    return None
