"""Cycles, and a collector that is switched off."""

import falcon

import gc

gc.disable()


class Node:
    pass


def work(i):
    a, b = Node(), Node()
    a.b, b.a = b, a
    a.data = [0] * 100
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
