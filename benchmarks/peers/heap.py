"""The heap every contestant gets: a book of orders, eight objects each, held by one name of this module.

An order is an instance with its attributes inline, a number, two texts, a list with a tuple in it (of the same number
and a text), and a dictionary (of a text and a shared number). ``BOOK.orders`` is the known object the tools are asked
about, ``BOOK.orders[-1].lines`` one far down.
"""

from __future__ import annotations

import gc

OBJECTS_PER_ORDER = 8


class Order:
    """An instance with its attributes inline."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"order {number}"
        self.lines = [(number, f"line {number}")]
        self.options = {"colour": f"colour {number}", "count": 2}


class Book:
    """Holds all orders."""

    def __init__(self) -> None:
        self.orders: list[Order] = []


BOOK = Book()


def build(objects: int) -> None:
    """Fill the book with about so many objects; afterwards the collector is as it is in an old process."""
    gc.disable()
    first = 1000  # the interpreter shares small numbers
    BOOK.orders.extend(Order(number) for number in range(first, first + objects // OBJECTS_PER_ORDER))
    gc.enable()
    gc.collect()
