"""Settings that differ with each request: a registry of them, and caches keyed by them."""

import falcon

import dateparser


def work(i):
    d = dateparser.parse(
        "12 March 2020",
        settings={"RELATIVE_BASE": __import__("datetime").datetime(2020, 1, 1, 0, 0, int(i) % 60, int(i))},
    )
    return str(d)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
