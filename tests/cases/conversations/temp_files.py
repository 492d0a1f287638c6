"""Labels are spooled for the printer."""

CONVERSATION = [
    ("POST /orders/1/label", {"name": "ann"}, 202, {"order": "1", "bytes": 834}),
    ("POST /orders/1/label", {}, 422, {"title": "No label"}),
    *[(f"POST /orders/{n}/label", {"name": "bob"}, 202, {"order": str(n)}) for n in range(30)],
    ("POST /orders/1/label", "no json", 400, {"title": "Invalid JSON"}),
]
