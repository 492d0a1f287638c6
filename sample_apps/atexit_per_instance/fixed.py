"""Labels, printed on a printer that wants a goodbye."""

from __future__ import annotations

import falcon


class Printer:
    """A connection to the printer."""

    def __init__(self, label: str) -> None:
        self.lines = [f"{label} line {n}" for n in range(6)]
        self.open = True

    def print(self) -> int:
        """Print; returns the number of lines."""
        return len(self.lines)

    def close(self) -> None:
        """Say goodbye."""
        self.open = False


class LabelResource:
    """Print a label."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, label: str) -> None:
        printer = Printer(label)
        try:
            resp.media = {"label": label, "lines": printer.print()}
        finally:
            printer.close()


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/labels/{label}", LabelResource())
    return app


app = create_app()
