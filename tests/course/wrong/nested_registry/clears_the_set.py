# refused: It still grows
"""Who is in which room."""

from __future__ import annotations

from collections import defaultdict

import falcon

# tenant -> room -> who
PRESENT: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))


class PresenceResource:
    """Enter a room, leave it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, tenant: str, room: str, who: str) -> None:
        PRESENT[tenant][room].add(who)
        resp.media = {"present": sorted(PRESENT[tenant][room])}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, tenant: str, room: str, who: str) -> None:
        PRESENT[tenant][room].discard(who)
        if not PRESENT[tenant][room]:
            PRESENT[tenant][room].clear()
        resp.media = {"present": sorted(PRESENT[tenant][room])}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/tenants/{tenant}/rooms/{room}/{who}", PresenceResource())
    return app


app = create_app()
