# refused: does not do its work as before
"""The order desk, with a page of the latest requests for support."""

from __future__ import annotations

import weakref

import falcon

SHOWN = 10

# The requests support may want to look at.
RECENT: list[weakref.ref[falcon.Request]] = []


class RememberRequests:
    """Note each request on its way in."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        RECENT.append(weakref.ref(req))


class OrderResource:
    """What is known of an order."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        resp.media = {"order": number, "state": "packed"}


class RecentResource:
    """The page for support."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"recent": [f"{one.method} {one.path}" for ref in RECENT[-SHOWN:] if (one := ref())]}


def create_app() -> falcon.App:
    app = falcon.App(middleware=[RememberRequests()])
    app.add_route("/orders/{number}", OrderResource())
    app.add_route("/recent", RecentResource())
    return app


app = create_app()
