"""A file of its own behind a caching file system, for each request."""

import falcon
import fsspec


def work(i):
    with fsspec.open(f"memory://orders/{i}", "wb") as file:
        file.write(b"order")
    path = fsspec.open(f"simplecache::memory://orders/{i}").fs
    fsspec.filesystem("memory").rm(f"/orders/{i}")
    return path.protocol[0]


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
