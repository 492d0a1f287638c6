"""Weak keys whose values refer to them."""

from weakref import WeakKeyDictionary

import falcon


class Order:
    def __init__(self, i):
        self.number = i


class Audit:
    def __init__(self, order):
        self.order = order
        self.lines = ["line"] * 20


AUDITS = WeakKeyDictionary()


def work(i):
    order = Order(i)
    AUDITS[order] = Audit(order)
    return len(AUDITS[order].lines)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
