CONVERSATION = [
    ("GET /forms/ann", None, 200, {"customer": "ann", "form": {"name": ""}}),
    ("GET /forms/bob?field=name&field=city", None, 200, {"form": {"name": "", "city": ""}}),
    ("GET /forms/ann?field=city", None, 200, {"form": {"city": ""}}),
    ("GET /forms/cat?field=city", None, 200, {"form": {"city": ""}}),
]
