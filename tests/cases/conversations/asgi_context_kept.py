"""Prices are set, and a desk gets them all in one event; the bodies of events are compared between the twins."""

CONVERSATION = [
    ("GET /ticker", None, 400, {"title": "Missing parameter"}),
    ("GET /ticker?desk=a", None, 200, {}),
    ("PUT /prices/tea", {"price": "4.20"}, 200, {"article": "tea", "price": "4.20", "version": 1}),
    ("GET /ticker?desk=a", None, 200, {}),
    ("PUT /prices/tea", {"price": 4.5}, 200, {"price": "4.5", "version": 2}),
    ("PUT /prices/cocoa", {"price": "5.50"}, 200, {"version": 3}),
    ("GET /ticker?desk=b", None, 200, {}),
    ("PUT /prices/cocoa", "no json", 400, {"title": "Invalid JSON"}),
]
