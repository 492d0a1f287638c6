# refused: does not do its work as before
"""A drawing that several people change, with one step of undo."""

from __future__ import annotations

from dataclasses import dataclass

import falcon


@dataclass
class Version:
    """The drawing after a change, and what it was before."""

    shapes: tuple[str, ...]
    before: Version | None = None


@dataclass
class Drawing:
    """The drawing that is on everybody's screen."""

    current: Version


DRAWING = Drawing(Version(()))


class ShapeResource:
    """Add a shape; take the last change back."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, shape: str) -> None:
        last = DRAWING.current
        DRAWING.current = Version((*last.shapes[-7:], shape))
        resp.media = {"shapes": list(DRAWING.current.shapes)}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, shape: str) -> None:
        if DRAWING.current.before is None:
            raise falcon.HTTPConflict(title="Nothing to undo")
        DRAWING.current = Version(DRAWING.current.before.shapes)
        resp.media = {"shapes": list(DRAWING.current.shapes)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/shapes/{shape}", ShapeResource())
    return app


app = create_app()
