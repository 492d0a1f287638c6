"""Pictures are served, more than the cache has room for, and the last visits are shown."""

CONVERSATION = [
    ("GET /visits", None, 200, {"visits": []}),
    ("GET /pictures/lamp?reader=ann", None, 200, {}),
    ("GET /pictures/lamp", None, 200, {}),
    ("GET /visits", None, 200, {"visits": ["ann: lamp", "nobody: lamp"]}),
    *[(f"GET /pictures/{n}?reader=bob", None, 200, {}) for n in range(400)],
    ("GET /pictures/lamp?reader=ann", None, 200, {}),
    ("GET /visits", None, 200, {"visits": ["bob: 396", "bob: 397", "bob: 398", "bob: 399", "ann: lamp"]}),
]
