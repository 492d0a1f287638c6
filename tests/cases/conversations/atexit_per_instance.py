CONVERSATION = [
    ("POST /labels/a", None, 200, {"label": "a", "lines": 6}),
    ("GET /labels/a", None, 405, {}),
]
