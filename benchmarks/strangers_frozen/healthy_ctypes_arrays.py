"""Buffers of all lengths, each with a class of its own."""

import ctypes

import falcon


def work(i):
    return ctypes.sizeof(ctypes.create_string_buffer(64 + int(i)))


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
