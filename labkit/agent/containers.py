"""What containers and instances hold, where the collector is told more or less than that."""

from . import layout
from .classes import type_name

ITEMS = (layout.VALUE, layout.INDEX, layout.CLASS, layout.ATTRIBUTE)
LINK = "functools._lru_list_elem"


def with_dict_instead_of_values(held, space, names):
    """What an instance with a dictionary holds: from 3.13 on the collector is told of its values instead."""
    if any(value is space for value in held) and len(held) <= 2:
        return held
    slots = {address: len(entries) for address, entries in names.items()}
    inside = {}
    for value in dict.values(space):
        inside[id(value)] = inside.get(id(value), 0) + 1
    left = []
    for value in held:
        address = id(value)
        if slots.get(address, 0) > 0:
            slots[address] -= 1
        elif inside.get(address, 0) > 0:
            inside[address] -= 1
            continue
        if value is not space:
            left.append(value)
    return [space, *left]


def items_of(thing, plan, labels):
    """The items of a subclass of a builtin container, read past whatever the subclass overrides.

    Those of a named tuple go by the names of its fields, where these may be shown.
    """
    base = plan.base_items
    if base is not dict:
        items = [(value, layout.INDEX, position) for position, value in enumerate(base.__iter__(thing))]
        for position, name in zip(range(len(items)), plan.fields, strict=False):
            label = labels.of_key(name)
            if label >= 0:
                items[position] = (items[position][0], layout.ATTRIBUTE, label)
        return items
    found = [(value, layout.VALUE, labels.of_key(key)) for key, value in dict.items(thing)]
    return found + [(key, layout.KEY, -1) for key in dict.keys(thing)]


def without(held, items):
    """What is held besides the items. The collector is told of a dictionary's keys only if some is no string."""
    left = _subtract(held, [value for value, kind, _ in items if kind in ITEMS])
    keys = [value for value, kind, _ in items if kind not in ITEMS]
    besides = _subtract(left, keys)
    return besides if len(besides) + len(keys) == len(left) else left


def _subtract(held, values):
    counts = {}
    for value in values:
        counts[id(value)] = counts.get(id(value), 0) + 1
    left = []
    for value in held:
        if counts.get(id(value), 0) > 0:
            counts[id(value)] -= 1
        else:
            left.append(value)
    return left


def with_links_of_ordered(thing, held, items):
    """An ``OrderedDict`` holds each key a second time, in the link that keeps its place."""
    links = [(key, layout.INTERNAL, -1) for key in dict.keys(thing)]
    return _subtract(held, dict.keys(thing)), items + links


def links_of(held):
    """What a bounded ``lru_cache`` holds: it tells its links' content and class, but not the links."""
    for table in held:
        if type(table) is dict:
            links = [link for link in table.values() if type_name(type(link)) == LINK]
            if links:
                classes = [(type(link), layout.CLASS, -1) for link in links]
                return without(held, classes), [(link, layout.ELEMENT, -1) for link in links]
    return held, []
