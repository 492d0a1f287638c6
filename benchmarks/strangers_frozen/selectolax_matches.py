"""Pages parsed once each, asked thrice."""

import falcon
from selectolax.lexbor import LexborHTMLParser


def work(i):
    page = LexborHTMLParser(f"<main>{'<p class=a>article</p>' * 20}<b>{i}</b></main>")
    return sum(page.css_matches(question) for question in ("p.a", "main > b", "i"))


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
