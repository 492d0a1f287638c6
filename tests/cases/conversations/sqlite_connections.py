"""A seat is booked once, and only once."""

CONVERSATION = [
    ("GET /seats/A1", None, 200, {"seat": "A1", "guest": None}),
    ("POST /bookings", {"seat": "A1", "guest": "ann"}, 201, {"seat": "A1", "guest": "ann"}),
    ("GET /seats/A1", None, 200, {"seat": "A1", "guest": "ann"}),
    ("POST /bookings", {"seat": "A1", "guest": "bob"}, 409, {"title": "Seat taken", "description": "A1 is booked."}),
    ("GET /seats/A1", None, 200, {"guest": "ann"}),
    ("POST /bookings", {"seat": "A2"}, 201, {"guest": ""}),
    ("POST /bookings", "no json", 400, {"title": "Invalid JSON"}),
]
