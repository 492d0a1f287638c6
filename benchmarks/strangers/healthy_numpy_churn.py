"""Arrays of random sizes in a pool of fifty."""

import falcon

import numpy as np, random

rng = random.Random(1)
POOL = [None] * 50


def work(i):
    POOL[rng.randrange(50)] = np.zeros(rng.randrange(1000, 60000)) + 1
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
