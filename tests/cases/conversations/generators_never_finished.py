"""Two reports are leafed through, one of them to its end."""

CONVERSATION = [
    ("GET /reports/1", None, 404, {"title": "No such report"}),
    ("PUT /reports/1", {}, 400, {"title": "No account"}),
    ("PUT /reports/1", {"account": "ann"}, 201, {"report": "1", "more": True}),
    ("PUT /reports/2", {"account": "bob"}, 201, {"report": "2", "more": True}),
    ("GET /reports/1", None, 200, {"report": "1", "more": True}),
    ("GET /reports/2", None, 200, {"report": "2", "more": True}),
    ("GET /reports/1", None, 200, {"more": True}),
    ("GET /reports/1", None, 200, {"more": True}),
    ("GET /reports/1", None, 200, {"rows": [], "more": False}),
    ("GET /reports/1", None, 404, {"title": "No such report"}),
    ("GET /reports/2", None, 200, {"more": True}),
    ("PUT /reports/1", "no json", 400, {"title": "Invalid JSON"}),
]
