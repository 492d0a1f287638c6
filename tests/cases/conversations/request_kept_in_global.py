CONVERSATION = [
    ("GET /orders/7", None, 200, {"order": "7", "state": "packed"}),
    *[(f"GET /orders/{n}", None, 200, {"order": str(n)}) for n in range(8, 20)],
    ("GET /recent", None, 200, {"recent": [*[f"GET /orders/{n}" for n in range(11, 20)], "GET /recent"]}),
    ("POST /recent", {}, 405, {}),
]
