"""Statements of accounts: the bookings are read, sorted and put on pages; the pages go out."""

from __future__ import annotations

import hashlib

import falcon

PAGE_LINES = 40
MOST_BOOKINGS = 60_000
ACCOUNTS = 240

# The last line of each account's statement, for the first line of its next one.
BALANCES: dict[str, str] = {}


def bookings(account: str, month: str) -> list[str]:
    """Stand in for the archive. Most accounts have some hundred bookings in a month, few have very many."""
    digest = hashlib.sha256(f"{account} in {month}".encode()).hexdigest()
    count = min(MOST_BOOKINGS, 300 * 65_536 // (1 + int(digest[:4], 16)))
    return [f"{number % 28 + 1:02}. {digest[number % 32 :]} {number * 37 % 9000}" for number in range(count)]


class StatementResource:
    """Print a statement."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: int) -> None:
        account, month = f"account-{number % ACCOUNTS}", f"month-{number // ACCOUNTS}"
        lines = sorted(bookings(account, month))
        pages = ["\n".join(lines[first : first + PAGE_LINES]) for first in range(0, len(lines), PAGE_LINES)]
        opening = BALANCES.get(account, "")
        BALANCES[account] = lines[-1]
        size_bytes = sum(map(len, pages))
        resp.media = {"account": account, "pages": len(pages), "bytes": size_bytes, "opening": opening}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/statements/{number:int}", StatementResource())
    return app


app = create_app()
