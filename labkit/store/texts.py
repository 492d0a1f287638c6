"""Texts from files, made fit to be written again."""


def writable(text: str) -> str:
    """The text with ``?`` for halves of characters (lone surrogates), which no output can encode."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
