"""Uploads are checked in the partner's buffer, or in the shared one."""

CONVERSATION = [
    ("PUT /partners/ann/upload", "tea;4.20\n", 200, {"partner": "ann", "bytes": 9}),
    ("PUT /partners/ann/upload", "", 200, {"bytes": 0}),
    ("PUT /partners/ann/upload", "x" * 16_384, 200, {"bytes": 16_384}),
    ("PUT /partners/ann/upload", "x" * 16_385, 413, {"title": "Upload too large"}),
    *[(f"PUT /partners/{n}/upload", "tea", 200, {"partner": str(n), "bytes": 3}) for n in range(320)],
    ("PUT /partners/ann/upload", "tea;4.20\n", 200, {"partner": "ann", "bytes": 9}),
]
