CONVERSATION = [
    ("PUT /tenants/t/rooms/r/ann", None, 200, {"present": ["ann"]}),
    ("PUT /tenants/t/rooms/r/bob", None, 200, {"present": ["ann", "bob"]}),
    ("DELETE /tenants/t/rooms/r/ann", None, 200, {"present": ["bob"]}),
    ("DELETE /tenants/t/rooms/r/bob", None, 200, {"present": []}),
    ("DELETE /tenants/t/rooms/r/bob", None, 200, {"present": []}),
    ("PUT /tenants/t/rooms/r/cat", None, 200, {"present": ["cat"]}),
]
