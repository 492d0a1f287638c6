"""Pictures of many sizes, made smaller and saved."""

from io import BytesIO
from zlib import crc32

import falcon
from PIL import Image


def work(i):
    side = 200 + crc32(i.encode()) % 900
    out = BytesIO()
    Image.effect_noise((side, side), 60).resize((100, 100)).save(out, "JPEG")
    return out.tell()


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
