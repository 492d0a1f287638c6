"""A pool of connections for each host, up to 600 hosts."""

import falcon
import urllib3

HTTP = urllib3.PoolManager(num_pools=600)


def work(i):
    return HTTP.connection_from_url(f"http://shop-{i}.example/").num_connections


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
