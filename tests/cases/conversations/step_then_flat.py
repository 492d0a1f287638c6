"""Orders are priced by the tariff of their time."""

CONVERSATION = [
    ("GET /orders/1/price?zone=3&kg=12", None, 200, {"order": 1, "tariff": "spring"}),
    ("GET /orders/299/price?zone=3&kg=30", None, 200, {"tariff": "spring"}),
    ("GET /orders/299/price?zone=3&kg=31", None, 422, {"title": "No rate", "description": "31 kg to zone 3"}),
    ("GET /orders/300/price?zone=3&kg=31", None, 200, {"tariff": "summer"}),
    ("GET /orders/2/price?zone=12&kg=1", None, 422, {"title": "No rate"}),
    ("GET /orders/2/price?zone=1", None, 400, {"title": "Missing parameter"}),
]
