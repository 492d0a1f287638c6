"""Previews that clean up after themselves."""

from __future__ import annotations

import weakref

import falcon

CLEANED: list[int] = [0]


def clean_up(number: str) -> None:
    """Stands in for the removal of a preview's files."""
    CLEANED[0] += 1


class Preview:
    """A preview of a document, and the picture of its first page."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.picture = number.encode() * 100
        weakref.finalize(self, clean_up, number)
        PREVIEWS.add(self)

    def clean_up(self) -> None:
        """Remove the preview's files."""
        clean_up(self.number)


PREVIEWS: weakref.WeakSet[Preview] = weakref.WeakSet()


class PreviewResource:
    """Show a preview."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        resp.media = {"preview": number, "bytes": len(Preview(number).picture)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/previews/{number}", PreviewResource())
    return app


app = create_app()
