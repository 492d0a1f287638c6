# refused: moved, not cured
"""The order desk, with a page of the latest requests for support."""

from __future__ import annotations

import falcon

SHOWN = 10

# The requests support may want to look at.
RECENT: list[falcon.Request] = []
CONTEXTS: list[object] = []


class RememberRequests:
    """Note each request on its way in."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.line = f"{req.method} {req.path}"
        CONTEXTS.append(req.context)


class OrderResource:
    """What is known of an order."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        resp.media = {"order": number, "state": "packed"}


class RecentResource:
    """The page for support."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"recent": [one.line for one in CONTEXTS[-SHOWN:]]}


def create_app() -> falcon.App:
    app = falcon.App(middleware=[RememberRequests()])
    app.add_route("/orders/{number}", OrderResource())
    app.add_route("/recent", RecentResource())
    return app


app = create_app()
