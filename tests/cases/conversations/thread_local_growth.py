CONVERSATION = [
    ("GET /quotes/7", None, 200, {"quote": "7", "steps": 8}),
    ("GET /quotes/8", None, 200, {"quote": "8", "steps": 8}),
    ("POST /quotes/8", None, 405, {}),
]
