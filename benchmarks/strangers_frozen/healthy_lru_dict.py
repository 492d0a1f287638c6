"""A cache of a thousand places, written in C."""

import falcon
from lru import LRU

CACHE = LRU(1000)


def work(i):
    CACHE[i] = {"lines": [i] * 30}
    return len(CACHE)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
