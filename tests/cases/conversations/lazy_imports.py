CONVERSATION = [
    ("GET /exports/7", None, 200, {"export": "7", "by": "csv"}),
    *[("GET /exports/8", None, 200, {"by": "csv"}) for _ in range(13)],
    ("GET /exports/9", None, 200, {"by": "sqlite3"}),
]
