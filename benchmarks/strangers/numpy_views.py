"""A slice of two numbers that pins an array of twenty thousand."""

import falcon

import numpy as np

FIRST = []


def work(i):
    a = np.random.rand(20000)
    FIRST.append(a[:2])
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
