"""Two middleware components, each of which may turn a request away. ``GET /ran`` tells which methods ran."""

from __future__ import annotations

import falcon

METHODS = ("first.process_request", "second.process_request", "second.process_response", "first.process_response")
RAN: list[str] = []


class Component:
    """Notes what is called; raises in ``process_request`` when the path says so."""

    def __init__(self, name: str) -> None:
        self.name = name

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.path == "/ran":
            return
        RAN.append(f"{self.name}.process_request")
        if req.path == f"/{self.name}-raises":
            raise falcon.HTTPUnauthorized

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        if req.path != "/ran":
            RAN.append(f"{self.name}.process_response")


class Ran:
    """Which methods the last request went through."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {method: method in RAN for method in METHODS}
        RAN.clear()


class Page:
    """Any page."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, page: str) -> None:
        resp.media = {"page": page}


def create_app(independent: bool) -> falcon.App:
    made = falcon.App(middleware=[Component("first"), Component("second")], independent_middleware=independent)
    made.add_route("/ran", Ran())
    made.add_route("/{page}", Page())
    return made


app = create_app(independent=True)
dependent = create_app(independent=False)
