"""Invoices of all sizes, read from buffers in blocks of at most 4,096 bytes, each length with a class of its own."""

from io import BytesIO

import falcon
import pypdfium2

blank = pypdfium2.PdfDocument.new()
blank.new_page(200, 200)
blank.save(out := BytesIO())
blank.close()
EMPTY = out.getvalue()


def work(i):
    comment = b"%" + b"." * (6000 + int(i)) + b"\n"
    invoice = pypdfium2.PdfDocument(BytesIO(EMPTY + comment))
    pages = len(invoice)
    invoice.close()
    return pages


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
