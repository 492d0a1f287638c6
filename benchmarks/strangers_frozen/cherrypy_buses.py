"""A bus for each job, started and brought to its end."""

import falcon
from cherrypy.process import wspbus


def work(i):
    bus = wspbus.Bus()
    bus.start()
    bus.stop()
    return bus.state.name


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
