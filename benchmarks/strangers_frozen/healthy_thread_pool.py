"""A pool that starts threads up to its limit, and a bounded queue of what it is still to do."""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import falcon

POOL = ThreadPoolExecutor(max_workers=60)
PENDING = deque()


def work(i):
    if int(i) % 4 == 0:
        PENDING.append(POOL.submit(time.sleep, 0.4))
    if len(PENDING) > 100:
        PENDING.popleft().result()
    return len(PENDING)


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
