CONVERSATION = [
    ("PUT /scans/a", b"x" * 10_000, 201, {"scan": "a"}),
    (
        "PUT /scans/b",
        b"hello",
        201,
        {"sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
    ),
    ("PUT /scans/b", b"", 201, {"scan": "b"}),
    ("GET /scans/b", None, 405, {}),
]
