"""A class for each request, none kept; attrs names its generated code alike."""

import falcon

import attr


def work(i):
    C = attr.make_class(f"C", ["a", "b"])
    return C(1, 2).a


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
