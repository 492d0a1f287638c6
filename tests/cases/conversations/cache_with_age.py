CONVERSATION = [
    ("GET /rates/eur-usd", None, 200, {"pair": "eur-usd", "rate": 1.0}),
    ("GET /rates/eur-usd", None, 200, {"rate": 1.0}),
    *[(f"GET /rates/{n}", None, 200, {"pair": str(n)}) for n in range(160)],
    ("GET /rates/eur-usd", None, 200, {"rate": 1.0}),
]
