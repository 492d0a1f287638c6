CONVERSATION = [
    ("DELETE /shapes/a", None, 409, {"title": "Nothing to undo"}),
    ("POST /shapes/a", None, 200, {"shapes": ["a"]}),
    ("POST /shapes/b", None, 200, {"shapes": ["a", "b"]}),
    ("DELETE /shapes/b", None, 200, {"shapes": ["a"]}),
    ("DELETE /shapes/a", None, 409, {}),
    *[(f"POST /shapes/s{n}", None, 200, {}) for n in range(7)],
    ("POST /shapes/z", None, 200, {"shapes": [*[f"s{n}" for n in range(7)], "z"]}),
]
