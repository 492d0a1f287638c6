"""Times with zones nobody knows; each is a warning of its own."""

import falcon
from dateutil.parser import parse


def zone(number):
    letters = ""
    while number or not letters:
        number, letter = divmod(number, 26)
        letters += chr(65 + letter)
    return "Q" + letters


def work(i):
    return parse(f"2024-05-01 10:00 {zone(int(i) + 676)}").year


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
