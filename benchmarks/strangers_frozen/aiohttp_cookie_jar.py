"""A client's cookie jar that makes an empty entry for each path it is asked about."""

import falcon.asgi
from aiohttp import CookieJar
from yarl import URL

JAR = None


async def work(i):
    global JAR
    if JAR is None:  # a jar asks for a running loop
        JAR = CookieJar()
        JAR.update_cookies({"visitor": "value; Path=/"}, URL("http://prices.example/"))
    return len(JAR.filter_cookies(URL(f"http://prices.example/articles/{i}/stock")))


class Resource:
    async def on_get(self, req, resp, i):
        resp.media = {"r": await work(i)}


app = falcon.asgi.App()
app.add_route("/x/{i}", Resource())
