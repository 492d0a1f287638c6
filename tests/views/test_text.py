"""The terminal's answer: verdict first, 80 columns, nothing in it that a terminal would obey."""

from __future__ import annotations

import io
import os
import pty
import unicodedata

import made_findings as made
import pytest

from labkit.findings.model import Explained, Findings, Ledger
from labkit.views import pictures
from labkit.views.report import render_report
from labkit.views.text import render_text, wants_colour

SESSION_STORE = """\
2 SUSPECTS FOUND  session_cache
shop.sessions.STORE keeps 1.83 kB per request

In session_cache, shop.sessions.STORE keeps shop.sessions.Session objects alive
and grows by about 1.8 MB per 1,000 requests. It was watched for 1,400 requests
and 7 snapshots.
Next: give shop.sessions.STORE a limit, or remove what is done with; start at
shop/sessions.py line 41, in SessionResource.on_post.

1. shop.sessions.STORE
  kind          Python objects kept alive
  held by
    module shop.sessions
      STORE -> dict
        [*] -> shop.sessions.Session   <- grows here
  grows         shop.sessions.Session
  per request   0.333 objects
                1.83 kB (95 % interval 1.81 to 1.86 kB)
                about 1.8 MB per 1,000 requests
  retained now  2.57 MB
  allocated at  shop/sessions.py line 41, in SessionResource.on_post
  why           shop.sessions.STORE gained 400 sessions in six equal rungs and
                never lost one; removing this one reference would free 98 % of
                what grew.
"""
HELD_TWICE = """\
  retained now  131 kB alone, 6.37 MB with what also holds it (in one of 2
                workers)
  allocated at  chat/rooms.py line 16, in Join.on_post; most bytes at
                chat/rooms.py line 9, in history
  why           chat.rooms.WAITING gains one _asyncio.Task per request, and lets
                none go: 4,659 bytes per request.
  also held by  asyncio.unix_events._UnixSelectorEventLoop._scheduled

Growth that is explained
  - follows from a suspect, 319 kB: _asyncio._all_tasks.data holds weak
    references; they go when what chat.rooms.WAITING gains is let go.
"""


def test_the_usual_answer_word_for_word() -> None:
    text = render_text(made.session_store())
    assert text.startswith(SESSION_STORE)
    assert "\n2. shop.metrics.Recorder._timings\n" in text
    assert "  - grew, then stopped, 1.24 MB: shop.catalog.REGIONS grew until 400 requests," in text
    assert "  pause         3.4 ms, the longest of 7 snapshots\n" in text
    assert text.endswith("  answers       200: 933, 201: 467 (of all requests played, measured or not)\n")


def test_what_else_holds_it_is_said_with_what_that_costs() -> None:
    text = render_text(made.held_twice())
    assert HELD_TWICE in text
    assert "19.3 MB after (one of 2 workers)\n" in text


def test_inconclusive_says_what_is_missing_before_all_else() -> None:
    text = render_text(made.undecided())
    assert text.startswith("INCONCLUSIVE  checkout\nThe measurement does not settle it\n")
    assert text.index("What is missing") < text.index("Where the memory is")
    assert "run again with\n    --rungs 10." in text


def test_clean_says_so_first() -> None:
    assert render_text(made.plateau()).startswith("CLEAN  bounded_cache\nNothing keeps growing")


@pytest.mark.parametrize("name", made.ALL)
def test_80_columns_of_harmless_text(name: str) -> None:
    text = render_text(made.ALL[name]())
    assert max(map(len, text.splitlines())) <= 80
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs"}} == {"\n"}
    text.encode("ascii")


def test_colour_is_added_to_the_same_words() -> None:
    plain, coloured = render_text(made.hostile()), render_text(made.hostile(), colour=True)
    assert "\x1b[1;31m" in coloured
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_colour_only_for_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as stream:
        assert wants_colour(stream)
        monkeypatch.setenv("TERM", "dumb")
        assert not wants_colour(stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        assert not wants_colour(stream)
    os.close(controller)
    monkeypatch.delenv("NO_COLOR")
    assert not wants_colour(io.StringIO())


def test_a_single_snapshot_is_not_told_as_growth() -> None:
    large = Explained(kind="large", bytes=12_000, why="shop.sessions.STORE (dict) alone keeps 12,000 bytes alive.")
    missing = ["a series: size is no growth"]
    findings = Findings(
        target="now.heap",
        basis="snapshot",
        verdict="inconclusive",
        explained=[large],
        missing=missing,
        ledger=Ledger(live_python_bytes=20_000),
    )
    text = render_text(findings)
    assert "One snapshot shows what is large, not what grows\n" in text
    assert "What is large\n  - large, 12.0 kB: shop.sessions.STORE (dict) alone keeps" in text
    assert "Where the memory is, in this snapshot\n" in text
    report, overview = render_report(findings), pictures.overview(findings)
    assert "<h2>What is large</h2>" in report
    assert ">What it keeps alive</th>" in report
    assert "<p>What is large:</p><ul>" in overview
    for view in (text, report, overview):
        for word in ("rowth that is explained", "whole run", "no suspect", "Across"):
            assert word not in view, word
