"""A client for each request, none kept."""

import falcon

import boto3

S = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="us-east-1")


def work(i):
    c = S.client("sqs")
    return c.meta.region_name


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
