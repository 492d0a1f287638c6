"""Answers of a server that speaks RESP3, in which a hash is a map."""

import falcon
import hiredis


def answer(i):
    pairs = [(f"field{k}", f"{i}-{k} " * 10) for k in range(20)]
    words = "".join(f"${len(word)}\r\n{word}\r\n" for pair in pairs for word in pair)
    return f"%{len(pairs)}\r\n{words}".encode()


def work(i):
    reader = hiredis.Reader(encoding="utf-8")
    reader.feed(answer(i))
    return len(reader.gets())


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
