"""Orders are answered by the carrier once; customers hear of what was accepted."""

ORDER = {"lines": [{"sku": "tea", "quantity": 2}, {"sku": "cocoa"}]}

CONVERSATION = [
    ("GET /notices", None, 200, {"notices": []}),
    ("PUT /orders/1", ORDER, 202, {"order": "1", "parcels": 2}),
    ("PUT /orders/2", ORDER, 202, {"order": "2", "parcels": 2}),
    ("POST /orders/1/answer", {"answer": "accepted"}, 200, {"order": "1", "answer": "accepted"}),
    ("POST /orders/2/answer", {"answer": "declined"}, 200, {"order": "2", "answer": "declined"}),
    ("POST /orders/2/answer", {"answer": "accepted"}, 404, {"title": "No such shipment"}),
    ("GET /notices", None, 200, {"notices": ["1: 2 parcels are on their way"]}),
    ("PUT /orders/3", {"lines": []}, 202, {"parcels": 0}),
    ("POST /orders/3/answer", {}, 200, {"answer": "declined"}),
    ("PUT /orders/4", "no json", 400, {"title": "Invalid JSON"}),
    ("GET /notices", None, 200, {"notices": ["1: 2 parcels are on their way"]}),
]
