CONVERSATION = [
    ("GET /things/7", None, 200, {"thing": "7", "lines": 1}),
    *[("GET /things/8", None, 200, {"thing": "8"}) for _ in range(210)],
    ("GET /things/9", None, 200, {"lines": 3}),
]
