"""The plainest leak and its twin, which every tool must tell apart before its answers count: a list that only grows."""

from __future__ import annotations

import falcon


class Kept:
    """One thing that stays after its request."""

    def __init__(self) -> None:
        self.text = "x" * 1000


KEPT: list[Kept] = []


class Keeper:
    """Keeps something of each request to /leaky, nothing of one to /fixed."""

    def on_get(self, request: falcon.Request, response: falcon.Response, variant: str) -> None:
        """Answer, and keep."""
        if variant == "leaky":
            KEPT.append(Kept())
        response.text = variant


app = falcon.App()
app.add_route("/{variant}", Keeper())
