"""Colours, for light and dark, told apart by the colour-blind; each passes 4.5:1 on its background."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A colour by role: its CSS variable, and its value on light and on dark paper."""

    variable: str
    light: str
    dark: str

    @property
    def css(self) -> str:
        """For SVG and CSS: the page's value where it sets one, else the light one."""
        return f"var({self.variable}, {self.light})"


INK = Colour("--ink", "#1d2228", "#e8e6e1")
MUTED = Colour("--muted", "#5b6470", "#a3a9b2")
RULE = Colour("--rule", "#dedcd6", "#363b42")
PAPER = Colour("--paper", "#fdfcfa", "#14171a")
CARD = Colour("--card", "#f5f3ee", "#1e2226")
TINT = Colour("--tint", "#f9e6d8", "#3a281c")  # behind what grows
HOT = Colour("--hot", "#b04300", "#ff9a5c")  # what grows
COOL = Colour("--cool", "#0a62a3", "#74b9f2")  # the worker from outside
THIRD = Colour("--third", "#00705a", "#4fc8a4")  # clean; a second series from outside
AMBER = Colour("--amber", "#805600", "#e5b94e")  # inconclusive

COLOURS = (INK, MUTED, RULE, PAPER, CARD, TINT, HOT, COOL, THIRD, AMBER)


def css_variables(*, dark: bool = False) -> str:
    """The declarations of all colours for one scheme."""
    return " ".join(f"{colour.variable}: {colour.dark if dark else colour.light};" for colour in COLOURS)


def themed(svg: str) -> str:
    """``svg`` with each light colour replaced by its variable, so that the page decides."""
    by_light = {colour.light: colour.css for colour in COLOURS}
    # Attributes take no var(), declarations in style="" do; matplotlib writes colours only there.
    return re.sub(r"(?<=[:\s])#[0-9a-f]{6}(?=[;\"\s])", lambda hit: by_light.get(hit[0], hit[0]), svg)
