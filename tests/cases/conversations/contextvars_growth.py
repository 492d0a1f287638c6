"""What a way of transport costs."""

CONVERSATION = [
    ("GET /rates/road?kg=100", None, 200, {"way": "road", "kg": 100, "cost": "31.00"}),
    ("GET /rates/air?kg=2", None, 200, {"cost": "9.80"}),
    ("GET /rates/sea?kg=2", None, 404, {"title": "No such way", "description": "Nothing goes by sea."}),
    ("GET /rates/rail", None, 400, {"title": "Missing parameter"}),
    ("GET /rates/rail?kg=0", None, 400, {"title": "Invalid parameter"}),
    ("GET /rates/rail?kg=5", None, 200, {"cost": "1.10"}),
]
