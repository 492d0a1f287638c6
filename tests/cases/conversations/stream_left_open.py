CONVERSATION = [
    ("GET /files/nothing.txt", None, 404, {}),
    ("HEAD /files/guide.txt", None, 200, {}),
    ("HEAD /files/nothing.txt", None, 404, {}),
    ("POST /files/guide.txt", {}, 405, {}),
]
