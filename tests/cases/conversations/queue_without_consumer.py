CONVERSATION = [
    ("POST /orders/7", None, 201, {"order": "7"}),
    ("POST /orders/8", None, 201, {"order": "8"}),
    ("GET /orders/8", None, 405, {}),
]
