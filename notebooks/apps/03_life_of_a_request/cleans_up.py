"""Five places to give back what a request took, and each way a request can end. ``GET /ran`` tells of the last one."""

from __future__ import annotations

from typing import Any

import falcon

PLACES = ("process_response", "if req_succeeded", "after hook", "finally", "around the app")
TAKEN: dict[str, bool] = {}


class Abort(BaseException):
    """Like ``gevent.Timeout``, ``SystemExit`` or ``CancelledError``: no ``Exception``."""


class Refused(Exception):
    """Has an error handler of its own."""


class Turned(Exception):
    """Its error handler raises it again."""


class CleanUp:
    """Takes on the way in, gives back on the way out."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        TAKEN["process_response"] = TAKEN["if req_succeeded"] = True

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        TAKEN["process_response"] = False
        if req_succeeded:
            TAKEN["if req_succeeded"] = False


def take(req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]) -> None:
    TAKEN["after hook"] = True


def give_back(req: falcon.Request, resp: falcon.Response, resource: object) -> None:
    TAKEN["after hook"] = False


class Ends:
    """The ways a responder ends."""

    @falcon.before(take)
    @falcon.after(give_back)
    def on_get(self, req: falcon.Request, resp: falcon.Response, how: str) -> None:
        TAKEN["finally"] = True
        try:
            end(resp, how)
        finally:
            TAKEN["finally"] = False


def end(resp: falcon.Response, how: str) -> None:
    """End as asked."""
    if how == "answers":
        resp.media = {"all": "well"}
    elif how == "HTTPError":
        raise falcon.HTTPUnprocessableEntity
    elif how == "HTTPStatus-200":
        raise falcon.HTTPStatus(falcon.HTTP_200)
    elif how == "bug":
        raise ValueError
    elif how == "handled":
        raise Refused
    elif how == "handler-raises-again":
        raise Turned
    elif how == "media-that-is-no-JSON":
        resp.media = {"no": object()}
    elif how == "BaseException":
        raise Abort


class Ran:
    """What is still taken of the last request."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = LAST.pop()


LAST: list[dict[str, str]] = []


def answer(req: falcon.Request, resp: falcon.Response, ex: Exception, params: dict[str, Any]) -> None:
    resp.status = falcon.HTTP_422


def raise_again(req: falcon.Request, resp: falcon.Response, ex: Exception, params: dict[str, Any]) -> None:
    raise ex


falcon_app = falcon.App(middleware=[CleanUp()])
falcon_app.add_error_handler(Refused, answer)
falcon_app.add_error_handler(Turned, raise_again)
falcon_app.add_route("/ends/{how}", Ends())
falcon_app.add_route("/ran", Ran())


def app(environ: dict[str, Any], start_response: Any) -> Any:
    """WSGI middleware: what is around the app sees every end."""
    if environ["PATH_INFO"] == "/ran":
        return falcon_app(environ, start_response)
    TAKEN.clear()
    TAKEN["around the app"] = True
    try:
        return falcon_app(environ, start_response)
    finally:
        TAKEN["around the app"] = False
        words = {True: "LEFT", False: "given back", None: "not taken"}
        LAST.append({place: words[TAKEN.get(place)] for place in PLACES})
