CONVERSATION = [
    ("PUT /watches/tea/ann", None, 200, {"watching": "tea", "told": ["ann waits for tea, line 0"]}),
    ("PUT /watches/cocoa/bob", None, 200, {"watching": "cocoa", "told": ["bob waits for cocoa, line 0"]}),
    ("GET /watches/cocoa/bob", None, 405, {}),
]
