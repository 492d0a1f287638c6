"""A statement of its own for each request; the compiled ones are kept up to a number."""

import falcon
from sqlalchemy import create_engine, select, text
from sqlalchemy.pool import StaticPool

E = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


def work(i):
    with E.connect() as c:
        return c.execute(select(text("7 AS total")).where(text(f"{i} >= 0"))).scalar()


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
