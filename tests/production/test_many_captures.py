"""Two hundred heaps in a row of one worker under load: it loses nothing, changes nothing, and keeps nothing."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from clients import Clients
from servers import children_of, serve

import labkit
from labkit.drive.sampling import settle, wait_for_descriptors
from labkit.store.capture import Sample

CAPTURES = 200
THREADS = 8
MEGABYTE = 1 << 20

#: Small, so that 200 heaps take seconds; answers as the other app of these tests does.
APP = """
import hashlib
HELD = [{"number": number} for number in range(2_000)]
def app(environ, start_response):
    number = environ["PATH_INFO"][1:].encode()
    HELD[len(HELD) * number[-1] // 256]["number"] += 1
    body = hashlib.sha256(number).hexdigest().encode() * 40
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def test_two_hundred(tmp_path: Path, doors: Path) -> None:
    with serve("gunicorn gthread", tmp_path, doors, app=APP) as served:
        (worker,) = served.workers()
        heap = tmp_path / "x.heap"

        def at_rest() -> Sample:
            settle([worker.process], limit_s=5)
            wait_for_descriptors(worker.pid, 0)
            return worker.look(time.monotonic())

        with Clients(served, 4, rest_s=0.02) as clients:
            clients.wait_for(200)
            worker.agent.snapshot(str(heap))
            clients.wait_for(200)
        before = at_rest()
        with Clients(served, 4, rest_s=0.02) as clients:
            clients.wait_for(20)
            for number in range(CAPTURES):
                worker.agent.snapshot(str(heap))
                if number % 50 == 0:
                    assert len(labkit.open_snapshot(heap)) > 30_000
                heap.unlink()
                assert children_of(worker.pid) == []
            clients.wait_for(20)
        assert set(clients.outcomes) == {"right"}
        assert clients.outcomes["right"] > CAPTURES
        now = at_rest()
        assert (now.pid, now.descriptors) == (before.pid, before.descriptors)
        assert now.threads <= 2 + THREADS  # its pool's, which start when first needed, the main and the agent's
        assert now.uss_bytes - before.uss_bytes < MEGABYTE
        assert [psutil.Process(served.process.pid).children(recursive=True)] == [[worker.process]]
        print(f"USS {now.uss_bytes - before.uss_bytes:+} bytes, {clients.outcomes['right']} requests")
