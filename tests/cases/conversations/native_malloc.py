"""Addresses are made uniform."""

CONVERSATION = [
    ("POST /addresses", {"address": "1 High Street"}, 200, {"lines": ["1 HIGH STREET"]}),
    ("POST /addresses", {"address": " 2 Low Road, 12 Old Town "}, 200, {"lines": ["2 LOW ROAD", "12 OLD TOWN"]}),
    ("POST /addresses", {"address": "Königsweg 3, Köln"}, 200, {"lines": ["KÖNIGSWEG 3", "KÖLN"]}),
    ("POST /addresses", {}, 422, {"title": "No address"}),
    ("POST /addresses", "no json", 400, {"title": "Invalid JSON"}),
]
