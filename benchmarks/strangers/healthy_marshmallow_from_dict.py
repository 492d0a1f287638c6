"""Schemas made for each request, which stay out of the registry since 3.0."""

import falcon

from marshmallow import Schema, fields


def work(i):
    S = Schema.from_dict({"a": fields.Int(), "b": fields.Str()}, name=f"Gen{i}")
    return S().load({"a": 1, "b": "x"})["a"]


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
