CONVERSATION = [
    ("GET /files/nothing.txt", None, 404, {}),
    ("HEAD /files/case.toml", None, 200, {}),
    ("HEAD /files/nothing.txt", None, 404, {}),
    ("POST /files/case.toml", {}, 405, {}),
]
