"""Receivers connected with weak=False."""

import falcon

from blinker import signal

paid = signal("paid")


class Basket:
    def __init__(self, i):
        self.items = ["item"] * 40

    def on_paid(self, sender, **kw):
        return self.items


def work(i):
    b = Basket(i)
    paid.connect(b.on_paid, weak=False)
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
