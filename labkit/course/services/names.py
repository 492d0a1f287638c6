"""The words of one service: those of its business, and names that say nothing about what a thing is for."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).parent

#: Names of what holds things. What leaks and what only looks like it draw from the same.
HOLDERS = ("Desk", "Board", "Tray", "Shelf", "Index", "Register", "Ledger", "Roll", "Chart", "Folder", "Rack", "Slate")
#: Names of what is held.
THINGS = ("Entry", "Turn", "Task", "Item", "Errand", "Visit", "Job", "Mark", "Piece", "Docket")
#: How many lines a record has, which is most of what it weighs.
COUNTS = (4, 6, 9, 14, 20, 28)

Names = dict[str, str]


@cache
def domains() -> dict[str, Names]:
    """The businesses, by name."""
    return tomllib.loads((TEMPLATES / "domains.toml").read_text(encoding="utf-8"))


def domain_names(domain: str, count: int) -> Names:
    """What templates may say of a business: ``$noun``, ``$Noun``, ``$NOUN``, ``$a_noun`` and so on."""
    said = domains()[domain]
    names = {form: text for key, word in said.items() for form, text in _forms(key, word)}
    article = "an" if said["noun"][0] in "aeiou" else "a"
    noun = said["noun"]
    return names | {"a_noun": f"{article} {noun}", "A_noun": f"{article.title()} {noun}", "count": str(count)}


def part_names(holder: str, thing: str) -> Names:
    """What a template calls its own: ``$NAME`` and ``$Name`` for what holds, ``$Other`` for what is held."""
    return dict([*_forms("name", holder), *_forms("other", thing)])


def shuffled(draw: random.Random, words: tuple[str, ...]) -> list[str]:
    """All words, in an order of their own."""
    return draw.sample(words, len(words))


def _forms(key: str, word: str) -> Iterator[tuple[str, str]]:
    yield key, word[:1].lower() + word[1:]
    yield key[:1].upper() + key[1:], word[:1].upper() + word[1:]
    yield key.upper(), word.upper()
