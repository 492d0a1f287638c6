"""``measure`` and ``watch`` around one app, in either order: each sees the Falcon app within."""

from __future__ import annotations

import falcon
import falcon.asgi
import pytest
from falcon import testing

from labkit.aboard import ConnectionTracker, watch
from labkit.aboard.counting import count_requests, falcon_within
from labkit.aboard.readings import Readings

KEPT: list[object] = []


class Thing:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        KEPT.append(req)


@pytest.mark.parametrize("measured_last", [True, False])
def test_request_objects_are_counted_in_either_order(measured_last: bool) -> None:
    readings, tracker, app = Readings(), ConnectionTracker(), falcon.App()
    app.add_route("/thing", Thing())
    if measured_last:
        served = count_requests(watch(app, tracker), readings)
    else:
        served = watch(count_requests(app, readings), tracker)
    client = testing.TestClient(served)
    for _ in range(3):
        assert client.simulate_get("/thing").status_code == 200
    assert (readings.take().requests_live, readings.take().requests_kept) == (3, 3)
    KEPT.clear()
    assert readings.take().requests_live == 0


def test_an_app_without_falcon_is_no_falcon_app() -> None:
    assert falcon_within(lambda environ, start_response: []) is None
    app = falcon.asgi.App()
    assert falcon_within(watch(app, ConnectionTracker())) is app
