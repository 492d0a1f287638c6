CONVERSATION = [
    ("POST /jobs/7", None, 202, {"job": "7", "state": "done"}),
    ("POST /jobs/7", None, 202, {"job": "7"}),
    ("GET /jobs/7", None, 405, {}),
]
