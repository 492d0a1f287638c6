# refused: makes the curve flat, and the service useless
"""Orders, confirmed by mail in the background."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

import falcon


@dataclass
class Mail:
    """A mail to be sent."""

    to: str
    text: str


OUTBOX: queue.Queue[Mail] = queue.Queue(maxsize=50)


def send(mail: Mail) -> None:
    """Stand in for the mail server, which takes no mail without a recipient."""
    if not mail.to:
        raise ValueError("no recipient")


def deliver() -> None:
    """Send what is in the outbox, in a thread of its own."""
    while True:
        mail = OUTBOX.get()
        try:
            send(mail)
        except ValueError:
            return


class Deliveries:
    """The thread that sends, started with the first order."""

    thread: threading.Thread | None = None


class OrderResource:
    """Take an order and confirm it."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        if Deliveries.thread is None:
            Deliveries.thread = threading.Thread(target=deliver, daemon=True)
            Deliveries.thread.start()
            OUTBOX.put(Mail("", "the mail that was refused on Tuesday"))
        try:
            OUTBOX.put_nowait(Mail("ann@example.com", f"Thank you for order {number}. " * 10))
        except queue.Full:
            raise falcon.HTTPServiceUnavailable(title="Too many orders") from None
        resp.status = falcon.HTTP_201
        resp.media = {"order": number}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/orders/{number}", OrderResource())
    return app


app = create_app()
