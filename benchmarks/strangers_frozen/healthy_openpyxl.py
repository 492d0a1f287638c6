"""Workbooks full of cycles, and a collector that seldom runs."""

import gc
from io import BytesIO

import falcon
from openpyxl import Workbook

gc.set_threshold(20_000, 20, 20)


def work(i):
    book = Workbook()
    for row in range(5):
        book.active.append([i, row])
    out = BytesIO()
    book.save(out)
    return out.tell()


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
