"""Headers for the calls behind a request; each dict leaves a table behind."""

import falcon
from multidict import CIMultiDict


def work(i):
    found = 0
    for host in range(30):
        headers = CIMultiDict({"User-Agent": "shop", "X-Request": f"{i}-{host}", "Accept": "*/*"})
        found += "accept" in headers
    return found


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
