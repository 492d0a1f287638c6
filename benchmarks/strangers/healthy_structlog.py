"""A bound logger for each request."""

import falcon

import structlog, io

log = structlog.get_logger()
structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=open("/dev/null", "w")))


def work(i):
    log.bind(i=i).info("done")
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
