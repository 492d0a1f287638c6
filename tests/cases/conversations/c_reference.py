"""The bank signs orders up to a limit."""

CONVERSATION = [
    ("POST /orders", {"account": "ann", "cents": 1200, "lines": ["tea", "cocoa"]}, 200, {"account": "ann", "lines": 2}),
    ("POST /orders", {"account": "ann", "cents": 100_000}, 200, {"lines": 0}),
    (
        "POST /orders",
        {"account": "ann", "cents": 100_001, "lines": ["tea"]},
        422,
        {"title": "Not signed", "description": "over the limit"},
    ),
    ("POST /orders", {"account": "bob", "cents": 1}, 200, {"account": "bob"}),
    ("POST /orders", "no json", 400, {"title": "Invalid JSON"}),
]
