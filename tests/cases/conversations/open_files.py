CONVERSATION = [
    ("GET /prices/tea", None, 404, {"title": "No such article"}),
    ("PUT /suppliers/s/prices", "tea;4.20\ncoffee;7.90\n", 200, {"supplier": "s", "articles": 2}),
    ("GET /prices/tea", None, 200, {"article": "tea", "price": "4.20"}),
    (
        "PUT /suppliers/s/prices",
        "tea;9.99\ncoffee;much\n",
        422,
        {"title": "Price list refused", "description": "Line 2 should be article;price."},
    ),
    ("GET /prices/tea", None, 200, {"price": "4.20"}),
    ("PUT /suppliers/s/prices", "tea\n", 422, {"description": "Line 1 should be article;price."}),
    ("PUT /suppliers/s/prices", "\xff;1\n".encode("latin-1"), 422, {"title": "Price list refused"}),
    ("PUT /suppliers/t/prices", "tea;4.50\n", 200, {"supplier": "t", "articles": 1}),
    ("GET /prices/tea", None, 200, {"price": "4.50"}),
    ("PUT /suppliers/t/prices", "", 200, {"articles": 0}),
]
