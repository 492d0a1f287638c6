"""Scanned delivery notes: a scan comes in, and its header line is kept for the list of the day."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import falcon

HEADER_BYTES = 64
LINES = 400
SHOWN = 5


@dataclass(slots=True)
class Scan:
    """What the list of the day shows of a scan."""

    note: str
    header: memoryview


SCANS: list[Scan] = []


def read_scan(note: str) -> bytes:
    """Stand in for the scanner: a header of 64 bytes, then the picture."""
    digest = hashlib.sha256(note.encode()).hexdigest().encode()
    return digest + b"".join(b"%04d %s\n" % (line, digest[:32]) for line in range(LINES))


class ScanResource:
    """Take a scan in."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, note: str) -> None:
        picture = memoryview(read_scan(note))
        header = picture[:HEADER_BYTES]
        SCANS.append(Scan(note, header))  # leak: pinned_buffer
        resp.status = falcon.HTTP_201
        resp.media = {"note": note, "bytes": len(picture)}


class ListResource:
    """The last scans of the day, by their headers."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        lately = list(SCANS)[-SHOWN:]
        resp.media = {"scans": [{"note": scan.note, "header": bytes(scan.header).decode()} for scan in lately]}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/scans", ListResource())
    app.add_route("/scans/{note}", ScanResource())
    return app


app = create_app()
