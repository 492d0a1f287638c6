"""Quotes, computed without locks."""

from __future__ import annotations

import threading

import falcon

SCRATCH = threading.local()


def steps_for(number: str) -> list[str]:
    """The steps of the calculation, in this thread's scratch space."""
    if not hasattr(SCRATCH, "steps"):
        SCRATCH.steps = []
    SCRATCH.steps.clear()
    SCRATCH.steps.extend(f"{number}: step {n} of the calculation" for n in range(8))
    return list(SCRATCH.steps[-8:])


class QuoteResource:
    """A quote."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        resp.media = {"quote": number, "steps": len(steps_for(number))}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/quotes/{number}", QuoteResource())
    return app


app = create_app()
