"""A client for every eight visits, to read a secret once."""

import falcon
from infisical_sdk import InfisicalSDKClient


def work(i):
    if int(i) % 8:
        return 0
    client = InfisicalSDKClient(host="http://127.0.0.1:9", token="a-token")
    return len(client.get_token())


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
