"""Pictures of articles, made smaller on the way; what was made is kept, and who asked is counted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass

import falcon

MAX_PICTURES = 360
PICTURE_BYTES = 6_000
SHOWN = 5


@dataclass(slots=True)
class Visit:
    """Who asked for what."""

    reader: str
    article: str


PICTURES: OrderedDict[str, bytes] = OrderedDict()
VISITS: deque[Visit] = deque(maxlen=SHOWN)


def shrink(article: str) -> bytes:
    """Stand in for the image library."""
    digest = hashlib.sha256(article.encode()).digest()
    return digest * (PICTURE_BYTES // len(digest))


def picture_of(article: str) -> bytes:
    """The small picture, made once while it is in demand."""
    if article in PICTURES:
        PICTURES.move_to_end(article)
        return PICTURES[article]
    PICTURES[article] = shrink(article)
    if len(PICTURES) > MAX_PICTURES:
        PICTURES.popitem(last=False)
    return PICTURES[article]


class PictureResource:
    """Serve small pictures."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, article: str) -> None:
        reader = req.get_param("reader", default="nobody")
        VISITS.append(Visit(reader, article))
        resp.content_type = falcon.MEDIA_PNG
        resp.data = picture_of(article)


class VisitResource:
    """Show the last visits."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"visits": [f"{visit.reader}: {visit.article}" for visit in list(VISITS)[-SHOWN:]]}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/pictures/{article}", PictureResource())
    app.add_route("/visits", VisitResource())
    return app


app = create_app()
