"""Statements of accounts: a month of bookings is read, sorted and put on pages; the pages go out."""

from __future__ import annotations

import hashlib

import falcon

BOOKINGS = (200, 12_000, 900, 30_000, 4_000)
PAGE_LINES = 40

# The last line of each account, for the next statement's first.
BALANCES: dict[str, str] = {}
ACCOUNTS = 24


def bookings(account: str, count: int) -> list[str]:
    """Stand in for the archive: so many bookings, each a text of its own."""
    digest = hashlib.sha256(account.encode()).hexdigest()
    return [f"{number % 28 + 1:02}. {digest[number % 32 :]} {number * 37 % 9000}" for number in range(count)]


class StatementResource:
    """Print a statement."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: int) -> None:
        account = f"account-{number % ACCOUNTS}"
        lines = sorted(bookings(account, BOOKINGS[number % len(BOOKINGS)]))
        pages = ["\n".join(lines[first : first + PAGE_LINES]) for first in range(0, len(lines), PAGE_LINES)]
        BALANCES[account] = lines[-1]
        resp.media = {"account": account, "pages": len(pages), "bytes": sum(map(len, pages)), "last": lines[-1]}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/statements/{number:int}", StatementResource())
    return app


app = create_app()
