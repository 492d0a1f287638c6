"""Jobs that log what they do."""

from __future__ import annotations

import logging

import falcon

logging.basicConfig(level=logging.ERROR)
# One name for each job: grep finds its lines.


class JobResource:
    """Run a job."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        log = logging.getLogger(f"jobs.run-{number}")  # leak: logger_per_request
        log.info("job %s begins", number)
        resp.status = falcon.HTTP_202
        resp.media = {"job": number, "state": "done"}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/jobs/{number}", JobResource())
    return app


app = create_app()
