CONVERSATION = [
    ("GET /tickets/7", None, 401, {"title": "Sign in first"}),
    ("GET /nowhere", None, 401, {"title": "Sign in first"}),
    ("POST /tickets/7", {}, 401, {}),
]
