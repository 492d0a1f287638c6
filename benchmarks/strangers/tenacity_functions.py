"""Decorated functions kept as keys of a cache, each with its Retrying and thread-local."""

import falcon

import tenacity, threading


class Client:
    def __init__(self):
        self.buf = bytearray(2000)


CACHE = {}


def work(i):
    c = Client()

    @tenacity.retry(stop=tenacity.stop_after_attempt(2))
    def fetch():
        return len(c.buf)

    CACHE[fetch] = 1
    return fetch()


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
