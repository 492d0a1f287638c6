"""An environment whose cache has 800 places, and 3,000 templates."""

import falcon

import jinja2

env = jinja2.Environment(loader=jinja2.FunctionLoader(lambda n: "Hello {{ name }} " + n), cache_size=800)


def work(i):
    return env.get_template("t%s" % (int(i) % 3000)).render(name="x")


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
