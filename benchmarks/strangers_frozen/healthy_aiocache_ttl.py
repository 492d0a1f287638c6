"""Answers remembered for four seconds."""

import falcon.asgi
from aiocache import SimpleMemoryCache

CACHE = SimpleMemoryCache(ttl=4)


async def work(i):
    await CACHE.set(i, ["article"] * 20)
    return len(await CACHE.get(i))


class Resource:
    async def on_get(self, req, resp, i):
        resp.media = {"r": await work(i)}


app = falcon.asgi.App()
app.add_route("/x/{i}", Resource())
