"""Raw messages, copied out of the buffer they came in."""

import falcon
import msgspec

MESSAGES = msgspec.msgpack.Decoder(type=msgspec.Raw)


def work(i):
    raw = MESSAGES.decode(msgspec.msgpack.encode({"order": i, "note": "x" * 4000}))
    return len(bytes(raw.copy()))


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
