"""A service with a status page that shows its latest log lines."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import falcon


@dataclass
class Line:
    """A line of the log."""

    text: str
    fields: dict[str, str]


LINES: deque[Line] = deque(maxlen=200)


class ThingResource:
    """Do something, and log it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        LINES.append(Line(f"thing {number} was asked for", {"number": number, "path": req.path}))
        resp.media = {"thing": number, "lines": min(len(LINES), 3)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/things/{number}", ThingResource())
    return app


app = create_app()
