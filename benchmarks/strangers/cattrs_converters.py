"""A converter for each request, kept; and linecache, which keeps the code each of them generates."""

import falcon

import cattrs, attr


@attr.s(auto_attribs=True)
class P:
    a: int = 1


CONV = {}


def work(i):
    c = CONV[i] = cattrs.Converter()
    return c.structure({"a": 2}, P).a


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
