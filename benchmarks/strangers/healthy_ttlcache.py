"""A TTLCache with 3,000 places, one for each request."""

import falcon

from cachetools import TTLCache

C = TTLCache(maxsize=3000, ttl=600)


def work(i):
    C[i] = ["value"] * 20
    return len(C)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
