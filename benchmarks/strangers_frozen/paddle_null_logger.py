"""A client for each call to the payment service."""

import falcon
from paddle_billing import Client


def work(i):
    client = Client("a-key")
    return client.retry_count


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
