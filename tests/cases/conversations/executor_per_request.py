CONVERSATION = [
    ("GET /search/tea", None, 200, {"found": ["tea at east"]}),
    ("GET /search/cocoa", None, 200, {"found": ["cocoa at east"]}),
]
