# refused: It still grows
"""A desk behind a login check, which knows what is in progress.

What is noted in ``process_request`` has to be taken back in ``process_response``: with independent middleware, the
default, Falcon calls that one for every component, also when another one has raised in between. ``process_resource``
and a resource's own method are not reached by a request that was turned away.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import falcon


@dataclass
class Progress:
    """One request in progress."""

    path: str
    steps: list[str] = field(default_factory=list)


IN_PROGRESS: dict[falcon.Request, Progress] = {}


class TrackProgress:
    """Note what is in progress from the first middleware to the response."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        IN_PROGRESS[req] = Progress(req.path, ["begun"])

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        if req_succeeded or resp.status == falcon.HTTP_404:
            del IN_PROGRESS[req]


class CheckLogin:
    """Turn away who has no token."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.get_header("X-Token") is None:
            raise falcon.HTTPUnauthorized(title="Sign in first")


class DeskResource:
    """What the desk says."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        IN_PROGRESS[req].steps.append("answered")
        resp.media = {"ticket": number, "steps": IN_PROGRESS[req].steps}


def create_app() -> falcon.App:
    app = falcon.App(middleware=[TrackProgress(), CheckLogin()])
    app.add_route("/tickets/{number}", DeskResource())
    return app


app = create_app()
