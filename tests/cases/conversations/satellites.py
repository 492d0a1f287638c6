"""Documents are handed in, and their results fetched."""

CONVERSATION = [
    ("GET /jobs/1", None, 404, {"title": "No such job"}),
    ("PUT /jobs/1", {"document": "letter"}, 201, {"job": "1", "steps": 24}),
    ("GET /jobs/1", None, 200, {"job": "1", "last": "page 23 of letter"}),
    ("PUT /jobs/2", {}, 201, {"job": "2"}),
    ("GET /jobs/2", None, 200, {"last": "page 23 of "}),
    ("GET /jobs/1", None, 200, {"job": "1"}),
    ("PUT /jobs/3", "no json", 400, {"title": "Invalid JSON"}),
]
