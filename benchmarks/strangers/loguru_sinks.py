"""A sink added for each request; each handler keeps its own, and all that was ever logged."""

import falcon

import io
from loguru import logger

logger.remove()


def work(i):
    sink = io.StringIO()
    logger.add(sink, format="{message}")
    logger.info("hello")
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
