"""Answers written to clients that have gone."""

import falcon
import ujson


class Gone:
    def write(self, text):
        raise BrokenPipeError("the client has gone")


def work(i):
    try:
        ujson.dump({"order": i, "lines": ["article"] * 300}, Gone())
    except BrokenPipeError:
        return "gone"
    return "sent"


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
