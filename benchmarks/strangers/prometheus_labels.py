"""A label with a value for each request."""

import falcon

from prometheus_client import Counter

C = Counter("req", "requests", ["path"])


def work(i):
    C.labels(path=f"/x/{i}").inc()
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
