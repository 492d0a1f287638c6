"""Payments, with an audit log."""

from __future__ import annotations

import logging

import falcon

AUDIT = logging.getLogger("audit")
AUDIT.propagate = False
AUDIT.setLevel(logging.ERROR)


def audit_log(address: str) -> logging.Logger:
    """The audit log, set up to go to ``address``."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{address} %(message)s"))
    AUDIT.addHandler(handler)  # leak: handler_per_request
    return AUDIT


class PaymentResource:
    """Take a payment."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        audit_log("audit.example.com").info("payment %s", number)
        resp.status = falcon.HTTP_201
        resp.media = {"payment": number}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/payments/{number}", PaymentResource())
    return app


app = create_app()
