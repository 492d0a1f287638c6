CONVERSATION = [
    ("GET /previews/7", None, 200, {"preview": "7", "bytes": 100}),
    ("GET /previews/77", None, 200, {"preview": "77", "bytes": 200}),
    ("POST /previews/77", None, 405, {}),
]
