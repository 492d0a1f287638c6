"""Jobs of a document converter: a job is handed in, done at once, and its result fetched later."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import falcon

STEPS = 24


@dataclass(slots=True)
class LogLine:
    """What a job did, and how long it took."""

    step: str
    took_ms: float


@dataclass(slots=True)
class Job:
    """A document that was handed in."""

    number: str
    log: list[LogLine]


JOBS: OrderedDict[str, Job] = OrderedDict()


def convert(document: str) -> list[LogLine]:
    """Stand in for the converter: the log of what it did."""
    digest = hashlib.sha256(document.encode()).digest()
    return [LogLine(f"page {page} of {document}", digest[page] / 4) for page in range(STEPS)]


class JobResource:
    """Hand a document in, and fetch what became of it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        document = req.get_media().get("document", "")
        JOBS[number] = Job(number, convert(document))  # leak: satellites
        resp.status = falcon.HTTP_201
        resp.media = {"job": number, "steps": STEPS}

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        job = JOBS.get(number)
        if job is None:
            raise falcon.HTTPNotFound(title="No such job", description="Results are kept for a while.")
        took_ms = sum(line.took_ms for line in job.log)
        resp.media = {"job": number, "last": job.log[-1].step, "took_ms": took_ms}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/jobs/{number}", JobResource())
    return app


app = create_app()
