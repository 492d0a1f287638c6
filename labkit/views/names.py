"""Names out of a capture, made safe and short enough to be read.

A type, module or file name is whatever the measured process said it was: it may hold terminal escapes,
bidirectional overrides, lone surrogates or a hundred thousand characters. ``shown`` is the one gate.
"""

from __future__ import annotations

import re
import shlex
import unicodedata

NAME_LIMIT = 160
PROSE_LIMIT = 600
COMMAND_LIMIT = 2000
ELLIPSIS = "…"

# Control, format (bidi, zero width), surrogate, private, unassigned, and the two odd line separators.
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SOURCE_PATH = re.compile(r"(?<![\w.…/])/(?:[^\s/'\":]+/)+(?=[^\s/'\":]+\.(?:pyx?|so|pyi|toml|json)\b)")
_HEADER_OPTIONS = frozenset({"--header", "-H"})


def _escaped(character: str) -> str:
    """``character`` itself, or its visible Python escape when it would act instead of being seen."""
    if unicodedata.category(character) not in _ESCAPED_CATEGORIES:
        return character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def elided(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters; the middle goes, for both ends of a dotted name tell."""
    if len(text) <= limit:
        return text
    if limit < 3:
        return text[:limit]
    tail = (limit - 1) * 3 // 5
    head = limit - 1 - tail
    return text[:head] + ELLIPSIS + text[len(text) - tail :]


def shown(text: str, limit: int = NAME_LIMIT) -> str:
    """A name as it may be shown anywhere: acting characters escaped, at most ``limit`` characters long."""
    # Cut first: a hostile name is long, and escapes only lengthen it.
    short = elided(text, limit)
    return elided("".join(map(_escaped, short)), limit)


def prose(text: str) -> str:
    """A sentence out of the findings: safe, and with source files by name instead of absolute path."""
    sentence = "".join(map(_escaped, _SOURCE_PATH.sub(ELLIPSIS + "/", text[: 2 * PROSE_LIMIT])))
    return sentence if len(sentence) <= PROSE_LIMIT else sentence[: PROSE_LIMIT - 1] + ELLIPSIS


def short_path(path: str, keep: int = 2) -> str:
    """A file as a reader elsewhere may see it: relative as it is, absolute by its last ``keep`` parts."""
    parts = [part for part in re.split(r"[/\\]", path) if part]
    is_absolute = path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:[/\\]", path) is not None
    if not is_absolute:
        return shown(path)
    return shown(ELLIPSIS + "/" + "/".join(parts[-keep:]))


def _option_shown(token: str) -> str:
    """One word of a command line, an absolute path in it reduced to the file's name."""
    name, equals, value = token.partition("=")
    if equals and name.startswith("-"):
        return f"{name}={_option_shown(value)}"
    is_path = re.match(r"(/|~/|[A-Za-z]:\\)\S*$", token) is not None
    return short_path(token, keep=1) if is_path else token


def command_shown(command: str) -> str:
    """The command line for a report that is passed on: no absolute path, no value of any header."""
    try:
        tokens = shlex.split(command[:COMMAND_LIMIT])
    except ValueError:  # cut or unbalanced quotes: words are good enough to find paths
        tokens = command[:COMMAND_LIMIT].split()
    words: list[str] = []
    previous = ""
    for token in tokens:
        name, colon, _ = token.removeprefix("--header=").partition(":")
        if (previous in _HEADER_OPTIONS or token.startswith("--header=")) and colon:
            prefix = "--header=" if token.startswith("--header=") else ""
            words.append(f"{prefix}{name}: {ELLIPSIS}")
        else:
            words.append(_option_shown(token))
        previous = token
    return shown(" ".join(_quoted(word) for word in words), COMMAND_LIMIT)


def _quoted(word: str) -> str:
    """``word`` in quotes when a shell would need them; marks of elision need none."""
    return word if word and re.fullmatch(r"[\w@%+=:,./~…-]+", word) else shlex.quote(word)
