"""Exchange rates, kept for the next hundred and fifty questions."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import falcon

GOOD_FOR = 150  # questions: a clock would do as well, and would make the load hard to repeat


@dataclass
class Rate:
    """A rate, and when it was asked for."""

    value: float
    asked_at: int
    note: str


RATES: OrderedDict[str, Rate] = OrderedDict()
CLOCK: list[int] = [0]


def rate_of(pair: str) -> Rate:
    """The rate, from the cache as long as it is good; what is too old is let go."""
    CLOCK[0] += 1
    while RATES and next(iter(RATES.values())).asked_at < CLOCK[0] - GOOD_FOR:
        RATES.popitem(last=False)
    if pair not in RATES:
        RATES[pair] = Rate(len(pair) / 7, CLOCK[0], f"the rate of {pair}" * 10)
    return RATES[pair]


class RateResource:
    """A rate."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, pair: str) -> None:
        resp.media = {"pair": pair, "rate": round(rate_of(pair).value, 2)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/rates/{pair}", RateResource())
    return app


app = create_app()
