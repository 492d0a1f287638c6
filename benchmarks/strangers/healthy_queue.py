"""A queue that a thread empties."""

import falcon

import queue, threading

Q = queue.Queue()
started = []


def drain():
    while True:
        Q.get()


def work(i):
    if not started:
        started.append(threading.Thread(target=drain, daemon=True))
        started[0].start()
    Q.put(["x"] * 50)
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
