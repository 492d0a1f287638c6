"""Bills of material as trees: what a product is made of, and what it weighs."""

from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Iterator
from typing import Any

import falcon

PARTS = 6


class Part:
    """A part, with the parts that it is made of."""

    def __init__(self, name: str, grams: int, parent: Part | None = None) -> None:
        self.name = name
        self.grams = grams
        self._parent = weakref.ref(parent) if parent else None
        self.parts: list[Part] = []

    def add(self, name: str, grams: int) -> Part:
        """One more part of this one."""
        part = Part(name, grams, self)
        self.parts.append(part)
        return part

    def all_parts(self) -> Iterator[Part]:
        """This part and everything in it."""
        yield self
        for part in self.parts:
            yield from part.all_parts()

    def path(self) -> str:
        """The names from the product down to this part."""
        above = self._parent() if self._parent else None
        return f"{above.path()}/{self.name}" if above else self.name


def bill_of(product: str) -> Part:
    """Stand in for the construction database."""
    digest = hashlib.sha256(product.encode()).digest()
    bill = Part(product, 0)
    for group in range(PARTS):
        assembly = bill.add(f"group-{group}", 0)
        for number in range(PARTS):
            assembly.add(f"part-{number}", digest[(group * PARTS + number) % len(digest)])
    return bill


class WeightResource:
    """Tell what a product weighs, and which part weighs most."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, product: str) -> None:
        bill = bill_of(product)
        heaviest = max(bill.all_parts(), key=lambda part: part.grams)
        total: dict[str, Any] = {"grams": sum(part.grams for part in bill.all_parts()), "heaviest": heaviest.path()}
        resp.media = {"product": product, **total}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/products/{product}/weight", WeightResource())
    # Collections took 30 ms of a request now and then; reference counts free what is done with.
    gc.disable()
    return app


app = create_app()
