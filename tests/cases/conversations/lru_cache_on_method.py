PARTS = [{"part": "part-07", "quantity": 12}, {"part": "part-21"}]
CONVERSATION = [
    (
        "POST /customers/ann/quotes",
        {"lines": PARTS},
        200,
        {"customer": "ann", "lines": [{"part": "part-07", "cents": 3979}, {"part": "part-21", "cents": 372}]},
    ),
    ("POST /customers/bob/quotes", {"lines": PARTS}, 200, {"customer": "bob"}),
    ("POST /customers/ann/quotes", {"lines": PARTS + PARTS}, 200, {"total_cents": 8702}),
    ("POST /customers/ann/quotes", {}, 200, {"lines": [], "total_cents": 0}),
    (
        "POST /customers/ann/quotes",
        {"lines": [{"part": "part-99"}]},
        422,
        {"title": "No quote", "description": "Not to be had: 1 of part-99."},
    ),
    ("POST /customers/ann/quotes", {"lines": [{"part": "part-01", "quantity": 0}]}, 422, {}),
    ("POST /customers/ann/quotes", {"lines": [{"part": "part-01", "quantity": 250}]}, 200, {}),
    ("GET /customers/ann/quotes", None, 405, {}),
]
