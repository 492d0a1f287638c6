"""An archive for every eight visits, deleted when it was read."""

import tarfile
import tempfile
from pathlib import Path

import falcon
import fsspec

FOLDER = tempfile.mkdtemp()


def work(i):
    if int(i) % 8:
        return 0
    path = f"{FOLDER}/{i}.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(__file__, "app.py")
    names = fsspec.filesystem("tar", fo=path).find("")
    Path(path).unlink()
    return len(names)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
