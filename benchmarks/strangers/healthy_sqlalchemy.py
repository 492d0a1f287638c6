"""An engine, used as it should be."""

import falcon

from sqlalchemy import create_engine, text

E = create_engine("sqlite:///file:mem?mode=memory&cache=shared&uri=true")


def work(i):
    with E.connect() as c:
        return c.execute(text("select :a"), {"a": i}).scalar()


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
