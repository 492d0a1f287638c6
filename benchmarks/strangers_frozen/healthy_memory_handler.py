"""Log records that are kept until there are 1,500, then written."""

import logging
from logging.handlers import MemoryHandler

import falcon

LOG = logging.getLogger("shop")
LOG.setLevel(logging.INFO)
LOG.propagate = False
LOG.addHandler(MemoryHandler(1500, flushLevel=logging.CRITICAL, target=logging.NullHandler()))


def work(i):
    LOG.info("order %s", i, extra={"lines": ["article"] * 10})
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
