"""Scans come in; the list shows the last five."""

CONVERSATION = [
    ("GET /scans", None, 200, {"scans": []}),
    ("PUT /scans/a", None, 201, {"note": "a", "bytes": 15_264}),
    ("PUT /scans/b", None, 201, {"note": "b", "bytes": 15_264}),
    ("GET /scans", None, 200, {}),
    *[(f"PUT /scans/{n}", None, 201, {"note": str(n)}) for n in range(8)],
    ("GET /scans", None, 200, {}),
    ("DELETE /scans/a", None, 405, {}),
]
