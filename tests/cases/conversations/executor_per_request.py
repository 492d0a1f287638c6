CONVERSATION = [
    ("GET /search/tea", None, 200, {"found": ["tea at east", "tea at west"]}),
    ("GET /search/cocoa", None, 200, {"found": ["cocoa at east", "cocoa at west"]}),
]
