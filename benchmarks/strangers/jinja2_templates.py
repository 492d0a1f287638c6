"""Templates compiled from texts that hold data, kept by text."""

import falcon

import jinja2

TEMPLATES = {}
env = jinja2.Environment()


def work(i):
    src = "Hello {{ name }} order %s" % i
    t = TEMPLATES.get(src)
    if t is None:
        t = TEMPLATES[src] = env.from_string(src)
    return t.render(name="x")


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
