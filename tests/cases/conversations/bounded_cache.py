CONVERSATION = [
    ("GET /parcels/AB1-2CD", None, 200, {"postcode": "AB1-2CD", "others": 15}),
    *[(f"GET /parcels/{n}", None, 200, {"postcode": str(n)}) for n in range(500)],
    ("GET /parcels/AB1-2CD", None, 200, {"postcode": "AB1-2CD", "others": 15}),
    ("GET /parcels/A!", None, 400, {"title": "Not a postcode"}),
]
