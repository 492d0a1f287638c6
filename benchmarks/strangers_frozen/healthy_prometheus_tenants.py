"""A counter with nine hundred tenants, who come as they like."""

from zlib import crc32

import falcon
from prometheus_client import CollectorRegistry, Counter

C = Counter("orders", "Orders", ["tenant"], registry=CollectorRegistry())


def work(i):
    C.labels(tenant=crc32(i.encode()) % 900).inc()
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
