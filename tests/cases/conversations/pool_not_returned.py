"""Stock is reserved while there is any."""

CONVERSATION = [
    ("GET /stock/tea", None, 200, {"article": "tea", "left": 100}),
    ("POST /reservations", {"article": "tea", "quantity": 30}, 200, {"article": "tea", "reserved": 30}),
    ("GET /stock/tea", None, 200, {"left": 70}),
    ("POST /reservations", {"article": "tea", "quantity": 71}, 409, {"title": "Out of stock"}),
    ("POST /reservations", {"article": "cocoa", "quantity": 101}, 409, {"description": "Not 101 of cocoa."}),
    ("GET /stock/cocoa", None, 200, {"left": 100}),
    ("POST /reservations", {"article": "tea", "quantity": 70}, 200, {"reserved": 70}),
    ("POST /reservations", {"article": "tea"}, 409, {"title": "Out of stock"}),
    ("GET /stock/tea", None, 200, {"left": 0}),
]
