"""A counter with a name made of data, for each request."""

import falcon

from opentelemetry.sdk.metrics import MeterProvider

provider = MeterProvider()
meter = provider.get_meter("shop")


def work(i):
    meter.create_counter(f"orders_{i}").add(1)
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
