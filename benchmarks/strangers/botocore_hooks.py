"""An event hook for each request, on a shared client."""

import falcon

import boto3

SESSION = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="us-east-1")
CLIENT = SESSION.client("sqs")


def work(i):
    def log_call(params, **kw):
        return None

    CLIENT.meta.events.register("before-call.sqs.SendMessage", log_call)
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
