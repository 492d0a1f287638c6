"""What other tools saw, in the terminal and in the report."""

from __future__ import annotations

import html
import re

from made_findings import session_store

from labkit.findings.model import Findings, SecondOpinion, SeenGrowth
from labkit.views.opinions import opinion_rows
from labkit.views.report import render_report
from labkit.views.text import WIDTH, render_text

LINE = "It names the line that allocated what grows, not what holds it."
RATES = {"requests_per_s_without": 200.0}


def with_opinions(*opinions: SecondOpinion) -> Findings:
    return session_store().model_copy(update={"second_opinions": list(opinions)})


def opinion(tool: str, **facts: object) -> SecondOpinion:
    saw = [SeenGrowth(what="shop.py:7", objects=90, bytes=9_000), SeenGrowth(what="a.py:1", objects=1, bytes=900)]
    given = {"tool": tool, "version": "1.2", "pid": 7, "window_s": 2.5, "requests": 400, "saw": saw, "why": LINE}
    return SecondOpinion.model_validate({**given, **facts})


def test_what_it_saw_and_whether_that_is_the_suspect() -> None:
    seen = SeenGrowth(what="shop.py:7", objects=90, bytes=9_000)
    (row,) = opinion_rows(with_opinions(opinion("memray", agrees=True, match=seen)))
    assert (row.tool, row.version, row.window) == ("memray", "1.2", "400 requests in 2.50 s")
    assert row.saw == "shop.py:7 +9.00 kB in 90 allocations; a.py:1 +900 B in 1 allocation"
    assert row.verdict == f"It saw it too (shop.py:7 +9.00 kB in 90 allocations). {LINE}"
    (row,) = opinion_rows(with_opinions(opinion("tracemalloc", agrees=False)))
    assert row.verdict == f"It did not see it. {LINE}"
    assert " in 90 blocks" in row.saw
    (row,) = opinion_rows(with_opinions(opinion("tracemalloc", saw=[], requests=None)))
    assert (row.verdict, row.saw, row.window) == (LINE, "nothing that grew", "2.50 s")


def test_counts_without_bytes() -> None:
    saw = [SeenGrowth(what="shop.Order", objects=1)]
    (row,) = opinion_rows(with_opinions(opinion("objgraph", saw=saw)))
    assert row.saw == "shop.Order +1 object"
    saw = [SeenGrowth(what="wait (a.py:3)", objects=75), SeenGrowth(what="run (b.py:4)", objects=25)]
    (row,) = opinion_rows(with_opinions(opinion("py-spy", saw=saw)))
    assert row.saw == "most often at wait (a.py:3), 75 of 100 looks"


def test_what_it_cost() -> None:
    cost = {"took_ms": 12.0, "pause_ms": 3.0, "child_peak_bytes": 5_000_000, "uss_bytes": 7e6, "requests_per_s": 100.0}
    (row,) = opinion_rows(with_opinions(opinion("memray", cost=cost | RATES)))
    assert row.cost == (
        "3.0 ms pause, 12 ms to switch it, 5.00 MB in a child, 7.00 MB in the worker,"
        " 2.0 times as long for the same requests"
    )
    (row,) = opinion_rows(with_opinions(opinion("memray", cost={"requests_per_s": 190.0} | RATES)))
    assert row.cost == "no longer than noise for the same requests"
    (row,) = opinion_rows(with_opinions(opinion("objgraph", cost={"requests_per_s": 100.0} | RATES)))
    assert row.cost == ""  # it looks before and after, not meanwhile


def test_what_was_not_recorded() -> None:
    row, other = opinion_rows(with_opinions(opinion("memray", why_not="it is not installed"), opinion("py-spy", pid=8)))
    assert (row.saw, row.window, row.verdict) == ("not recorded: it is not installed", "process 7", "")
    assert other.window == "process 8, 400 requests in 2.50 s"


def test_in_the_terminal() -> None:
    text = render_text(with_opinions(opinion("memray", files=["recordings/memray.7.html"]), opinion("py-spy")))
    assert "\nWhat other tools saw\n" in text
    lines = [line.strip() for line in text.splitlines()]
    assert "Files: recordings/memray.7.html" in lines
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert "What other tools saw" not in render_text(session_store())


def test_in_the_report() -> None:
    hostile = SeenGrowth(what="<script>alert(1)</script>", objects=1, bytes=1)
    page = render_report(with_opinions(opinion("memray", saw=[hostile], files=["recordings/memray.7.html"])))
    words = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert "What other tools saw" in words
    assert "memray 1.2" in words
    assert "Its own files, beside the capture: recordings/memray.7.html" in words
    assert "<script" not in page
    assert "What other tools saw" not in render_report(session_store())
