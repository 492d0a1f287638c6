"""A job for next month with each request, in the memory job store."""

import falcon

from datetime import datetime, timedelta
from apscheduler.schedulers.background import BackgroundScheduler

s = None


def work(i):
    global s
    if s is None:
        s = BackgroundScheduler()
        s.start()
    s.add_job(print, "date", run_date=datetime.now() + timedelta(days=30), args=["reminder", i])
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
