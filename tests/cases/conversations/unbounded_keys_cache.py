"""Pages of offers, however they are asked for."""

CONVERSATION = [
    ("GET /offers?category=tea", None, 200, {"category": "tea", "page": 1}),
    ("GET /offers?category=tea&page=1&reader=ann", None, 200, {"category": "tea", "page": 1}),
    ("GET /offers?category=tea&page=5&reader=bob", None, 200, {"page": 5}),
    ("GET /offers?category=sand", None, 400, {"title": "No such page", "description": "sand, page 1"}),
    ("GET /offers?category=tea&page=6", None, 400, {"description": "tea, page 6"}),
    ("GET /offers", None, 400, {"description": ", page 1"}),
    ("GET /offers?reader=ann&category=tea&page=1", None, 200, {"page": 1}),
]
