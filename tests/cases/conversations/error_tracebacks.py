ORDER = {"lines": [{"sku": "tea", "quantity": 2}, {"sku": "cocoa"}]}
CONVERSATION = [
    ("GET /refusals", None, 200, {"refusals": []}),
    ("PUT /orders/1", ORDER, 201, {"order": "1", "lines": 2, "total": "13.90"}),
    (
        "PUT /orders/2",
        {"lines": [{"sku": "tea"}, {"sku": "sand"}]},
        422,
        {"title": "Order refused", "order": "2", "reason": "line 2: we do not sell sand"},
    ),
    ("PUT /orders/3", {"lines": [{"sku": "tea", "quantity": "x"}]}, 422, {"reason": "line 1: no quantity"}),
    ("GET /refusals", None, 200, {"refusals": ["3: line 1: no quantity", "2: line 2: we do not sell sand"]}),
    *[(f"PUT /orders/{n}", {"lines": [{"sku": "x"}]}, 422, {"order": str(n)}) for n in range(4, 12)],
    ("GET /refusals", None, 200, {"refusals": [f"{n}: line 1: we do not sell x" for n in range(11, 6, -1)]}),
    ("PUT /orders/12", ORDER, 201, {"total": "13.90"}),
    ("PUT /orders/13", "no json", 400, {"title": "Invalid JSON"}),
]
