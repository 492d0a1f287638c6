CONVERSATION = [
    *[("POST /sensors/a", None, 200, {"written": 0}) for _ in range(49)],
    ("POST /sensors/a", None, 200, {"written": 50}),
    ("POST /sensors/a", None, 200, {"written": 50}),
]
