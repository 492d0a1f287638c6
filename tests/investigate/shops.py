"""Two twins of an app for leak tests: one keeps every order, the other none."""

from __future__ import annotations

from pathlib import Path

SHOP = """
import falcon
KEPT = []
class Order:
    def __init__(self, number): self.number = number
class Orders:
    def on_get(self, req, resp, number):
        {line}
        resp.media = {{"order": number}}
    def on_post(self, req, resp, number):
        assert req.get_media() == {{"sku": "tea"}}, "another body was meant"
def create_app():
    app = falcon.App()
    app.add_route("/orders/{{number}}", Orders())
    return app
"""
LEAK_LINE = 8
ORDERS = "GET /orders/{i}"


def write_shops(folder: Path) -> None:
    """``leaky.py`` and ``healthy.py``."""
    (folder / "leaky.py").write_text(SHOP.format(line="KEPT.append(Order(number))"))
    (folder / "healthy.py").write_text(SHOP.format(line="Order(number)"))
