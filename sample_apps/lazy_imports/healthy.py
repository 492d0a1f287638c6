"""Exports in many forms, each loaded when somebody first wants it."""

from __future__ import annotations

import importlib

import falcon

FORMS = ["csv", "sqlite3", "xml.dom.minidom", "plistlib", "tarfile", "mailbox", "decimal", "statistics", "difflib"]
SERVED: list[int] = [0]


class ExportResource:
    """Export something, in one form after another."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: str) -> None:
        SERVED[0] += 1
        form = FORMS[min(SERVED[0] // 15, len(FORMS) - 1)]
        resp.media = {"export": number, "by": importlib.import_module(form).__name__}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/exports/{number}", ExportResource())
    return app


app = create_app()
