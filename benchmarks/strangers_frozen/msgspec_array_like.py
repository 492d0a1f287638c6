"""A struct that is an array in the message, turned into plain objects."""

import falcon
import msgspec


class Box(msgspec.Struct, array_like=True):
    left: float
    top: float
    right: float
    bottom: float
    label: str


class Row(msgspec.Struct):
    boxes: list[Box]


ROWS = msgspec.msgpack.Decoder(type=Row)


def work(i):
    n = float(i)
    boxes = [[n + k, n * k, n - k, n / (k + 1), f"box {i}-{k} " * 8] for k in range(20)]
    row = ROWS.decode(msgspec.msgpack.encode({"boxes": boxes}))
    return len(msgspec.to_builtins(row)["boxes"])


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
