# refused: moved, not cured
"""Take scans and pass them on to the archive, a part at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import falcon

PART_BYTES = 4096


@dataclass
class Upload:
    """A scan on its way to the archive."""

    name: str
    content: bytes


class Archive:
    """Stands in for the archive's client."""

    def __init__(self) -> None:
        self.pending: dict[str, Upload] = {}
        self.confirmed: dict[str, Upload] = {}

    def store(self, upload: Upload, digest: str) -> str:
        """Hand over a scan; it stays pending until the archive has confirmed it."""
        self.pending[upload.name] = upload
        self.confirm(upload.name, digest)
        return digest

    def confirm(self, name: str, digest: str) -> None:
        """The archive says that it has the scan."""
        self.confirmed[name] = self.pending.pop(name)


ARCHIVE = Archive()


class ScanResource:
    """Take one scan."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        digest = hashlib.sha256()
        content = req.bounded_stream.read()
        digest.update(content)
        upload = Upload(name, content)
        resp.status = falcon.HTTP_201
        resp.media = {"scan": name, "sha256": ARCHIVE.store(upload, digest.hexdigest())}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/scans/{name}", ScanResource())
    return app


app = create_app()
