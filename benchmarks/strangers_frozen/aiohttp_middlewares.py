"""A server with a middleware behind this one, asked for pages that are not there."""

import asyncio

import falcon.asgi
from aiohttp import web

PORT = []


@web.middleware
async def timed(request, handler):
    return await handler(request)


async def start():
    runner = web.AppRunner(web.Application(middlewares=[timed]))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    PORT.append(runner.addresses[0][1])


async def work(i):
    if not PORT:
        await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT[0])
    writer.write(f"GET /nothing/{i} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer[9:12].decode()


class Resource:
    async def on_get(self, req, resp, i):
        resp.media = {"r": await work(i)}


app = falcon.asgi.App()
app.add_route("/x/{i}", Resource())
