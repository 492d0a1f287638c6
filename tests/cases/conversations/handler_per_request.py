CONVERSATION = [
    ("POST /payments/7", None, 201, {"payment": "7"}),
    ("POST /payments/8", None, 201, {"payment": "8"}),
    ("GET /payments/8", None, 405, {}),
]
