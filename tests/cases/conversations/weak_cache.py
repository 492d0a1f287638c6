"""Maps of many trains are asked for; few are in memory."""

CONVERSATION = [
    ("GET /maps", None, 200, {"maps": 0}),
    ("GET /trains/ICE1/seats", None, 200, {"train": "ICE1"}),
    ("GET /trains/ICE1/seats", None, 200, {"train": "ICE1"}),
    ("GET /maps", None, 200, {"maps": 1}),
    *[(f"GET /trains/{n}/seats", None, 200, {"train": str(n)}) for n in range(40)],
    ("GET /maps", None, 200, {"maps": 16}),
]
