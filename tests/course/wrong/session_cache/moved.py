# refused: moved, not cured
"""Sessions of a small shop: sign in, fill a basket, sign out."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import falcon

MAX_LINES = 20


@dataclass
class Session:
    """What the shop knows of one visitor from sign-in to sign-out."""

    user: str
    profile: dict[str, Any]
    basket: list[dict[str, Any]] = field(default_factory=list)
    signed_out_at: float | None = None


# One worker serves a visitor's whole session: the balancer is sticky by session key.
ARCHIVE: list[Session] = []
SESSIONS: dict[str, Session] = {}


def load_profile(user: str) -> dict[str, Any]:
    """Stand in for the profile service: addresses and the things looked at lately."""
    digest = hashlib.sha256(user.encode()).hexdigest()
    return {
        "email": f"{user}@example.com",
        "segment": f"segment-{digest[:2]}",
        "addresses": [f"{int(digest[n : n + 3], 16)} {user.title()} Street, {digest[n:]}" for n in range(4)],
        "viewed": [f"product-{digest[n : n + 6]}" for n in range(48)],
    }


def find_session(key: str) -> Session:
    """The visitor's open session; 404 when there is none."""
    session = SESSIONS.get(key)
    if session is None or session.signed_out_at is not None:
        raise falcon.HTTPNotFound(title="No such session", description="Sign in first.")
    return session


class SessionResource:
    """A visitor signs in, looks and signs out."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        user = req.get_media().get("user")
        if not user:
            raise falcon.HTTPBadRequest(title="Nobody to sign in", description="Send the user's name.")
        SESSIONS[key] = Session(user, load_profile(user))
        resp.status = falcon.HTTP_201
        resp.media = {"session": key, "user": user}

    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        session = find_session(key)
        resp.media = {"user": session.user, "basket": session.basket, **session.profile}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        session = find_session(key)
        # NOTE: the help desk asks what was in the basket, so only mark it.
        session.signed_out_at = time.time()
        ARCHIVE.append(SESSIONS.pop(key))
        resp.status = falcon.HTTP_204


class BasketResource:
    """A visitor puts things into the basket."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        session = find_session(key)
        if len(session.basket) >= MAX_LINES:
            raise falcon.HTTPConflict(title="The basket is full")
        line = req.get_media()
        session.basket.append({"sku": line.get("sku"), "quantity": line.get("quantity", 1)})
        resp.status = falcon.HTTP_201
        resp.media = {"lines": len(session.basket)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/sessions/{key}", SessionResource())
    app.add_route("/sessions/{key}/basket", BasketResource())
    return app


app = create_app()
