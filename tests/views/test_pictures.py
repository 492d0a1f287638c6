"""What a notebook shows: images with words for who cannot see them, nothing to fetch."""

from __future__ import annotations

import base64
import re
from html import unescape
from xml.etree import ElementTree as Xml

import made_findings as made
import pytest

from labkit.views.pictures import chain_picture, growth_picture, overview


def _images(html: str) -> list[tuple[str, str]]:
    found = re.findall(r'<img alt="([^"]*)"[^>]* src="data:image/svg\+xml;base64,([^"]+)">', html)
    return [(unescape(alt), base64.b64decode(data).decode("utf-8")) for alt, data in found]


@pytest.mark.parametrize("name", made.ALL)
def test_every_picture_is_an_image_with_words(name: str) -> None:
    findings = made.ALL[name]()
    html = overview(findings)
    assert html.count("<img") == len(_images(html)) == 1 + bool(findings.suspects)
    for alt, svg in _images(html):
        assert alt
        assert Xml.fromstring(svg).tag.endswith("svg")
    assert "<script" not in html
    assert not re.search(r"[\x1b\u202e]", html)


def test_the_words_around_the_pictures() -> None:
    html = overview(made.session_store())
    assert "2 suspects found" in html
    assert "shop.sessions.STORE keeps 1.83 kB per request" in html
    assert "<li>grew, then stopped: shop.catalog.REGIONS grew until" in html
    assert "missing: Only four snapshots" in overview(made.undecided())


def test_chain_and_growth_alone() -> None:
    ((alt, svg),) = _images(chain_picture(made.session_store()))
    assert alt == "Retaining chain: module shop.sessions → STORE: dict → [*]: shop.sessions.Session"
    assert "grows here" in svg
    assert chain_picture(made.plateau()) == "<p>No suspect, so no chain to show.</p>"
    assert _images(growth_picture(made.plateau()))[0][0].startswith("The worker's USS went from 19.2 MB")
