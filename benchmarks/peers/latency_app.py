"""A small Falcon app that holds the heap of ``peers.heap``; how many objects is in ``LABKIT_BENCHMARK_OBJECTS``."""

from __future__ import annotations

import os
from typing import Any

import falcon

from peers import heap

heap.build(int(os.environ.get("LABKIT_BENCHMARK_OBJECTS", "0")))


class OrderResource:
    """Shows some orders and changes them, so that requests touch pages all over the heap."""

    def on_get(self, req: Any, resp: Any, number: int) -> None:
        orders = heap.BOOK.orders
        found = [orders[(number * 7919 + 104729 * place) % len(orders)] for place in range(20)]
        for order in found:
            order.number = number
        resp.media = [{"name": order.name, "lines": order.lines, "options": order.options} for order in found]


app = falcon.App()
app.add_route("/orders/{number:int}", OrderResource())
