# refused: The same holder lets nothing go
"""Downloads, streamed from disk.

``with open(path) as f: resp.stream = f`` is no cure: the block ends, and closes the file, before the server reads
from it. Falcon hands a stream to the server, which closes it after a GET; a response without a body gives it to nobody.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO

import falcon

# Stands in for the volume with the downloads; it goes with the process.
FOLDER = tempfile.TemporaryDirectory(prefix="downloads-")
Path(FOLDER.name, "manual.txt").write_text("Turn the wheel by half a turn.\n" * 64, encoding="utf-8")

# Downloads under way, so that the nightly job can tell which files are in use.
OPEN: list[BinaryIO] = []


class DownloadResource:
    """One file for everybody."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        path = Path(FOLDER.name, name)
        if not path.is_file():
            raise falcon.HTTPNotFound(title="No such file")
        resp.content_type = "text/plain"
        stream = path.open("rb")
        OPEN.append(stream)
        resp.content_length = path.stat().st_size
        if req.method == "HEAD":
            return
        resp.stream = stream

    on_head = on_get


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/files/{name}", DownloadResource())
    return app


app = create_app()
