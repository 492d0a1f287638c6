# refused: does not do its work as before
"""Tell visitors when an article is back in stock."""

from __future__ import annotations

from collections.abc import Callable

import falcon

Listener = Callable[[str], str]


class Bus:
    """Announce things to whoever wants to know."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` called from now on."""
        self.listeners.append(listener)

    def announce(self, article: str) -> list[str]:
        """Call everybody."""
        return [said for listener in self.listeners if (said := listener(article))]


BUS = Bus()


class WatchResource:
    """Watch an article."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, article: str, who: str) -> None:
        basket = [f"{who} waits for {article}, line {n}" for n in range(20)]

        def tell(changed: str) -> str:
            return basket[0] if changed == article else ""

        BUS.subscribe(tell)
        del tell, basket
        resp.media = {"watching": article, "told": BUS.announce(article)[-1:]}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/watches/{article}/{who}", WatchResource())
    return app


app = create_app()
