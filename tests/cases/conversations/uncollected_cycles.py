"""What products weigh."""

CONVERSATION = [
    ("GET /products/lamp/weight", None, 200, {"product": "lamp"}),
    ("GET /products/chair/weight", None, 200, {"product": "chair"}),
    ("GET /products/lamp/weight", None, 200, {"product": "lamp"}),
    ("POST /products/lamp/weight", None, 405, {}),
]
