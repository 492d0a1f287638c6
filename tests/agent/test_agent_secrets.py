"""A picture holds names from the program's text and no values, whatever those look like."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

from agent_targets import LOADED, Target, unpacked

PLANTER = """
import json, os, sys, threading, types
secrets = iter(json.load(open("secrets.json")))
take_many = lambda count: [next(secrets) for _ in range(count)]

class Account:
    limit = 10
    def __init__(self, owner):
        self.owner = owner
class Settings: pass
class Body:
    def __init__(self, raw):
        self.raw_body = raw
        self.parsed = {}
def read(account, settings):
    return account.owner, settings.timeout, account.limit

SESSIONS = {}
for secret in take_many(40):
    SESSIONS[secret] = Account(secret)                  # keys and attribute values
for secret in take_many(40):
    setattr(SESSIONS.setdefault("fixed_key", Account(None)), secret, secret)      # attribute names, interned by setattr
for secret in take_many(20):
    setattr(Settings, secret, secret)                   # class attributes
NAMESPACE = types.SimpleNamespace(**{secret: secret for secret in take_many(20)})
for secret in take_many(20):
    setattr(NAMESPACE, secret, 1)
def keep_keywords(**keywords):
    return lambda: keywords
KEPT = keep_keywords(**{secret: secret for secret in take_many(20)})
for secret in take_many(20):
    setattr(keep_keywords, secret, 1)                   # attributes of a function
for secret in take_many(20):
    os.environ[secret] = secret
REQUESTS = [Body((" ".join(take_many(2)) + "\\n").encode()) for _ in range(20)]
for request, secret in zip(REQUESTS, take_many(20)):
    request.parsed = json.loads(json.dumps({secret: {secret: [secret]}}))
INTERNED = {sys.intern(secret): 1 for secret in take_many(20)}
made = [type("Made", (), {secret: 1 for secret in take_many(5)}) for _ in range(2)]
slots = type("Slots", (), {"__slots__": [each for each in take_many(20) if each.isidentifier()]})
exec("on_the_fly = 1", on_the_fly := {secret: 1 for secret in take_many(10)})
LISTS = [take_many(10), tuple(take_many(10)), set(take_many(5)), "".join(take_many(1))]
parked, ready = threading.Event(), threading.Semaphore(0)
def handle(token):
    local_copy = token
    ready.release()
    parked.wait()
    return local_copy
threads = [threading.Thread(target=handle, args=(secret,), name=secret) for secret in take_many(4)]
for thread in threads: thread.start()
for thread in threads: ready.acquire()
try:
    raise LookupError(next(secrets))
except LookupError as error:
    FAILURE = error
TRACED = [secret + "!" for secret in SESSIONS]
take("x.heap")
parked.set()
print(sum(1 for _ in secrets))
"""


def _secrets(count: int) -> list[str]:
    """Texts as programs get them: tokens, words, addresses, numbers; none can be a word of this file."""
    dice = random.Random(7)
    letters = "bcdfghjklmnpqrstvwxz"
    found = []
    for number in range(count):
        word = "".join(dice.choices(letters, k=14))
        found.append(
            (
                word,
                f"sk_live_{word}",
                f"{word}@example.org",
                "".join(dice.choices(string.hexdigits.lower(), k=32)),
                "-".join("".join(dice.choices("0123456789abcdef", k=k)) for k in (8, 4, 4, 4, 12)),
                f"user_{word.upper()}",
                str(dice.randrange(10**15, 10**16)),
                "".join(dice.choices("abcdef", k=16)),
            )[number % 8]
        )
    return found


def test_no_planted_secret_is_in_any_byte_of_a_picture(target: Target) -> None:
    secrets = _secrets(420)
    (target.folder / "secrets.json").write_text(json.dumps(secrets))
    left = int(target.run(PLANTER, "-X", "tracemalloc=5").stdout)
    planted = secrets[: len(secrets) - left]
    assert len(planted) >= 300
    content = unpacked(target.folder / "x.heap")
    leaked = [secret for secret in planted if secret.encode() in content]
    assert leaked == []
    pieces = [piece for secret in planted for piece in secret.split("@")[0].split("-") if len(piece) >= 12]
    assert [piece for piece in pieces if piece.encode() in content] == []


def test_names_from_the_programs_text_are_kept(target: Target) -> None:
    (target.folder / "secrets.json").write_text(json.dumps(_secrets(420)))
    target.run(PLANTER)
    picture = target.picture()
    account = picture.glob("SESSIONS", "fixed_key")
    assert picture.type_of(account) == "__main__.Account"
    picture.follow(account, "owner")
    picture.glob("Account", "limit")
    assert picture.name_of(picture.glob("KEPT", "__code__")) == "keep_keywords.<locals>.<lambda>"
    picture.glob("KEPT", "__closure__", 0, "keywords")
    assert {"local_copy", "token"} <= set(picture.snapshot.labels)
    assert len([1 for kind, label, _ in picture.edges(picture.glob("SESSIONS")) if kind == "value" and not label]) == 40


LITERALS = """
def connect():
    return dict(user="shop", password="HunterSecretLiteral")
def is_admin(token):
    secretly_named_local = token == "AdminTokenLiteral"
    return secretly_named_local
connect(); is_admin("x")
take("x.heap"); take("x.heap")
"""


def test_texts_that_only_functions_have_stay_out(target: Target, walker: Path) -> None:
    """Constants of code stand in the program's text, too; nothing in the picture goes by them."""
    for start in ("", LOADED.format(walker=str(walker))):
        target.run(start + LITERALS)
        whole = unpacked(target.folder / "x.heap")
        assert b"connect" in whole
        for literal in (b"HunterSecretLiteral", b"AdminTokenLiteral", b"secretly_named_local"):
            assert literal not in whole
