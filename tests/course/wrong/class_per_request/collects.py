# refused: frees cycles only
"""Forms whose fields each customer configures."""

from __future__ import annotations

import gc
from typing import Any

import falcon


class Form:
    """What all forms have in common."""

    fields: tuple[str, ...] = ()

    def empty(self) -> dict[str, str]:
        """The form as it is before anybody has written into it."""
        return dict.fromkeys(self.fields, "")


FORMS: dict[str, type[Form]] = {}


def form_class(customer: str, fields: tuple[str, ...]) -> type[Form]:
    """The class of a customer's form."""
    made = type("CustomerForm", (Form,), {"fields": fields})
    FORMS[customer] = made
    return made


class FormResource:
    """An empty form."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, customer: str) -> None:
        gc.collect()
        fields: Any = req.get_param_as_list("field") or ["name"]
        resp.media = {"customer": customer, "form": form_class(customer, tuple(fields))().empty()}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/forms/{customer}", FormResource())
    return app


app = create_app()
