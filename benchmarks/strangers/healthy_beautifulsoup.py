"""Trees full of cycles, and a collector that is on."""

import falcon

from bs4 import BeautifulSoup


def work(i):
    return len(BeautifulSoup("<p>%s</p><ul>" % i + "<li>x</li>" * 30, "html.parser").find_all("li"))


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
