"""Reports are fetched in pages: the first comes with the order of the report, the others one by one."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator
from typing import Any

import falcon

PAGE_ROWS = 8
PAGES = 4
MAX_REPORTS = 30

# Reports that are being fetched, by name; the oldest gives way.
REPORTS: OrderedDict[str, Generator[list[str]]] = OrderedDict()


def bookings(account: str) -> list[str]:
    """Stand in for the archive: what was booked, as one query gives it."""
    digest = hashlib.sha256(account.encode()).hexdigest()
    return [f"{day:02}.03. {digest[day:]} {int(digest[day], 16)}.90" for day in range(PAGES * PAGE_ROWS)]


def pages(account: str) -> Generator[list[str]]:
    """The pages of a report, made as they are asked for."""
    rows = bookings(account)
    for first in range(0, len(rows), PAGE_ROWS):
        yield rows[first : first + PAGE_ROWS]


class ReportResource:
    """Order a report, and fetch its next page."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        account = req.get_media().get("account")
        if not account:
            raise falcon.HTTPBadRequest(title="No account")
        report = pages(account)
        rows = next(report)
        REPORTS[name] = report
        if len(REPORTS) > MAX_REPORTS:
            REPORTS.popitem(last=False)[1].close()
        resp.status = falcon.HTTP_201
        resp.media = {"report": name, "rows": rows, "more": True}

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        if name not in REPORTS:
            raise falcon.HTTPNotFound(title="No such report", description="Order it again.")
        rows: list[Any] = next(REPORTS[name], [])
        if not rows:
            del REPORTS[name]
        resp.media = {"report": name, "rows": rows, "more": bool(rows)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/reports/{name}", ReportResource())
    return app


app = create_app()
