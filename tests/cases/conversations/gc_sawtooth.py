"""How far it is to the way out."""

CONVERSATION = [
    ("GET /buildings/tower/way-out", None, 200, {"building": "tower", "rooms": 24}),
    ("GET /buildings/mill/way-out", None, 200, {"building": "mill", "rooms": 24}),
    *[(f"GET /buildings/{n}/way-out", None, 200, {"building": str(n), "rooms": 24}) for n in range(45)],
    ("GET /buildings/tower/way-out", None, 200, {"building": "tower", "rooms": 24}),
]
