"""A log file for each job, closed when the job ends."""

import tempfile

import falcon
import structlog


def work(i):
    with tempfile.TemporaryFile() as file:
        log = structlog.BytesLogger(file)
        log.msg(b"job " + i.encode())
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
