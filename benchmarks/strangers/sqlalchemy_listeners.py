"""An event listener for each request."""

import falcon

from sqlalchemy import create_engine, text
from sqlalchemy import event

ENG = create_engine("sqlite://")


def work(i):
    @event.listens_for(ENG, "before_cursor_execute")
    def trace(conn, cursor, statement, parameters, context, executemany):
        pass

    with ENG.connect() as c:
        return c.execute(text("select 1")).scalar()


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
