"""What programs commonly do with other people's code: who holds the growth is said in the app's words."""

from __future__ import annotations

from pathlib import Path

from .conftest import Labkit

APP = """
import collections, queue, threading, warnings, weakref
import falcon
import postroom

warnings.simplefilter("always", RuntimeWarning)
warnings.showwarning = lambda *_: None

class Mail:
    def __init__(self, number):
        self.number = number

class Visit(Mail):
    pass

class Seen(Mail):
    pass

class Mailer:
    waiting = collections.UserDict()
    def __init__(self):
        self.outbox = queue.Queue()

class Orders:
    def __init__(self, mailer):
        self.mailer = mailer
    def on_get(self, req, resp, number):
        self.mailer.outbox.put(Mail(number))
        Mailer.waiting[number] = Visit(number)
        seen = Seen(number)
        weakref.finalize(seen, print, seen)
        remember(number)
        warnings.warn("order %s is old" % number)

def remember(number):
    postroom.register("order " + number)

app = falcon.App()
app.add_route("/orders/{number}", Orders(Mailer()))
"""
HELPER = """
KNOWN = {}
class Letter:
    def __init__(self, text):
        self.text = text
def register(text):
    KNOWN[text] = Letter(text)
"""


def test_holders_go_by_the_apps_names_and_lines(labkit: Labkit, tmp_path: Path) -> None:
    app = tmp_path / "orderdesk.py"
    app.write_text(APP)
    (tmp_path / "postroom.py").write_text(HELPER)
    words = ("--app", f"{app}:app", "--request", "GET /orders/{i}", "--requests", "100", "--rungs", "4", "--json")
    suspects = {one["retainer"]: one for one in labkit("investigate", *words).findings["suspects"]}
    assert set(suspects) == {
        "orderdesk.Mailer.outbox",
        "orderdesk.Mailer.waiting",
        "weakref.finalize._registry",
        "postroom.KNOWN",
        "orderdesk.__warningregistry__",
    }
    assert suspects["orderdesk.Mailer.outbox"]["retaining_path"][-6:] == [
        *("outbox", "queue.Queue", "queue", "collections.deque", "[*]", "orderdesk.Mail")
    ]
    known = suspects["postroom.KNOWN"]
    lines = [(site["file"], site["function"]) for site in (known["allocation_site"], known["calling_site"])]
    assert lines == [("postroom.py", "register"), ("orderdesk.py", "remember")]
    assert suspects["orderdesk.Mailer.outbox"]["calling_site"] is None
    assert [name for name, one in suspects.items() if one["held_by_library"]] == ["weakref.finalize._registry"]
