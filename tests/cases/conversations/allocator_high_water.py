"""Statements of many sizes; the second of an account opens with the last line of the first."""

LAST = "28. 9e012e123baa2815e69e7863caa1a04fcb8f423a955e5 935"

CONVERSATION = [
    ("GET /statements/0", None, 200, {"account": "account-0", "pages": 147, "opening": ""}),
    ("GET /statements/303", None, 200, {"account": "account-63", "opening": "", "pages": 744}),
    ("GET /statements/240", None, 200, {"account": "account-0", "pages": 15, "opening": LAST}),
    ("GET /statements/x", None, 404, {}),
]
