"""Statements of many sizes."""

CONVERSATION = [
    ("GET /statements/0", None, 200, {"account": "account-0", "pages": 5}),
    ("GET /statements/3", None, 200, {"account": "account-3", "pages": 750}),
    ("GET /statements/24", None, 200, {"account": "account-0", "pages": 100}),
    ("GET /statements/x", None, 404, {}),
]
