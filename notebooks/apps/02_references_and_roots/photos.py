"""An album of photos that can also be searched by who is on them."""

from __future__ import annotations

import falcon

PIXELS = 100_000
PEOPLE = ("ann", "bob")


class Photo:
    """One photo: small itself, large by what it refers to."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pixels = bytes(PIXELS)


class Album:
    """Some photos."""

    def __init__(self) -> None:
        self.photos = [Photo(number) for number in range(4)]


class Search:
    """Photos by the person on them."""

    def __init__(self) -> None:
        self.by_person: dict[str, list[Photo]] = {person: [] for person in PEOPLE}

    def add(self, photo: Photo) -> None:
        self.by_person[PEOPLE[photo.number % 2]].append(photo)


SUMMER: Album | None = None
SEARCH = Search()


class AlbumResource:
    """Upload the summer's photos; forget them, by halves or properly."""

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        global SUMMER
        SUMMER = Album()
        resp.media = {"photos": len(SUMMER.photos)}

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        if SUMMER is not None:
            for photo in SUMMER.photos:
                SEARCH.add(photo)

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        global SUMMER
        SUMMER = None


class SearchResource:
    """Clear what can be searched."""

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        SEARCH.by_person.clear()


app = falcon.App()
app.add_route("/summer", AlbumResource())
app.add_route("/search", SearchResource())
