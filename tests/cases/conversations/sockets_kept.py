"""Many shops ask what parcels cost, some of them again and again."""

CONVERSATION = [
    ("POST /rates", {"shop": "ann", "g": 1200}, 200, {"shop": "ann", "g": 1200, "cents": 410}),
    ("POST /rates", {"shop": "ann", "g": 20}, 200, {"cents": 351}),
    ("POST /rates", {"shop": "bob", "g": 30_000}, 200, {"cents": 1850}),
    ("POST /rates", {"shop": "bob", "g": 30_001}, 422, {"title": "No such parcel", "description": "30001 g"}),
    ("POST /rates", {"shop": "bob"}, 422, {"description": "0 g"}),
    *[("POST /rates", {"shop": f"shop {n}", "g": 400}, 200, {"cents": 370}) for n in range(12)],
    ("POST /rates", {"shop": "ann", "g": 1200}, 200, {"cents": 410}),
    ("POST /rates", "no json", 400, {"title": "Invalid JSON"}),
]
