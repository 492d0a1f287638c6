"""The report's file: what is in it, what must never be, and how it is written."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import made_findings as made
import pytest

from labkit.errors import StoreError
from labkit.findings.model import Findings
from labkit.views.report import render_report, write_report

VOID = {"meta", "link", "wbr", "br", "img"}
CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


class Page(HTMLParser):
    """Tags, attributes and text of a page; refuses tags that are left open or closed twice."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not (self._open and self._open[-1] == "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", made.ALL)
def test_one_file_that_asks_nobody_and_runs_nothing(name: str) -> None:
    html = render_report(made.ALL[name]())
    page = Page(html)
    assert page.all("meta")[1] == {"http-equiv": "Content-Security-Policy", "content": CSP}
    assert not {"script", "iframe", "object", "embed", "form", "base", "img"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for attribute, value in attributes.items():
            assert not attribute.startswith("on")
            if attribute in {"src", "href", "xlink:href", "action", "data"}:
                assert (value or "").startswith(("#", "data:"))
            if not attribute.startswith("xmlns"):
                assert not re.search(r"https?:|//", value or "")
    assert "@import" not in html
    assert re.findall(r"url\(", html) == re.findall(r"url\((?=#)", html)


@pytest.mark.parametrize("name", made.ALL)
def test_the_same_findings_give_the_same_bytes(name: str) -> None:
    findings = made.ALL[name]()
    html = render_report(findings)
    assert html.encode("utf-8") == render_report(made.ALL[name]()).encode("utf-8")
    if name not in {"hostile", "without_series"}:  # a lone surrogate and a NaN have no JSON
        again = Findings.model_validate_json(findings.model_dump_json())
        assert render_report(again) == html


@pytest.mark.parametrize("name", made.ALL)
def test_ids_are_used_once(name: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(render_report(made.ALL[name]())).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_report_says_who_else_holds_it() -> None:
    text = Page(render_report(made.held_twice())).text
    for words in (
        "_scheduled holds the same: emptying chat.rooms.WAITING alone frees 131 kB of 6.37 MB.",
        "Held at the last snapshot6.37 MB131 kB by this reference alone, in one of 2 workers",
        "Also held byasyncio.unix_events._UnixSelectorEventLoop._scheduled",
        "chat/rooms.py line 16, in Join.on_post; most bytes at chat/rooms.py line 9, in history",
        "follows from a suspect319 kB_asyncio._all_tasks.data holds weak references",
        "19.2 MB before, 19.3 MB after (one of 2 workers)",
    ):
        assert words in text, words


def test_the_report_says_what_was_found() -> None:
    text = Page(render_report(made.session_store())).text
    for words in (
        "2 suspects found",
        "session_cache · 1,400 requests · 2026-11-22 23:58 UTC",
        "In session_cache, shop.sessions.STORE keeps shop.sessions.Session objects alive",
        "Next: give shop.sessions.STORE a limit",
        "Kept per request1.83 kB95 % interval 1.81 to 1.86 kB",
        "shop/sessions.py line 41, in SessionResource.on_post",
        "never lost one; removing this one reference would free 98 % of what grew.",
        "2. shop.metrics.Recorder._timings keeps 112 B per request",
        "module shop.metrics → RECORDER: shop.metrics.Recorder → _timings: list → [*]: tuple",
        "grew, then stopped1.24 MBshop.catalog.REGIONS grew until 400 requests",
        "live Python objects18.9 MB",
        "3.4 ms, the longest of 7 snapshots",
        "41.8 MB, in a copy of the worker",
        "19.2 MB before, 19.3 MB after",
        "labkit 0.1.0, python 3.11.7, falcon 4.4.0, gunicorn 27.0.1",
        "9f2c41d07a7be1f5a1c0de55b0a3bd3c9a8d33c11ffb1d9f1e0a5f4c5a7e6b21",
        "200: 933, 201: 467",
        "Retaining path",
    ):
        assert words in text, words


def test_each_rung_is_in_the_evidence() -> None:
    text = re.sub(r"> <", "><", render_report(made.session_store()))
    for point in made.SESSIONS.series:
        assert f"<td>{point.requests:,}</td><td>{point.objects:,}</td>" in text


def test_neither_folders_nor_header_values_leave_with_the_report() -> None:
    html = render_report(made.kept_tracebacks())
    assert "/home/anna" not in html
    assert "/srv/build" not in html
    assert "0123456789abcdef" not in html
    assert "--app …/app.py:app" in html


def test_descriptors_and_workers_are_told_apart() -> None:
    descriptors = Page(render_report(made.open_descriptors())).text
    assert "Left behind per request0.25about 250 per 1,000 requests" in descriptors
    assert "Open descriptors of the worker" in descriptors
    assert "Process" in Page(render_report(made.plateau())).text


def test_what_is_missing_comes_first_when_nothing_is_settled() -> None:
    text = Page(render_report(made.undecided())).text
    assert text.index("What would settle it") < text.index("What the worker used")
    assert "record native allocations with memray." in text


def test_hostile_names_are_text() -> None:
    html = render_report(made.hostile())
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\\x1b[31m\\u202egnp.exe\\ud800\\x07" in html
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", html)
    assert 'onmouseover="' not in html
    html.encode("utf-8")


def test_very_long_names_are_cut() -> None:
    html = render_report(made.endless_names())
    assert len(html) < 200_000
    assert "Abstract" * 100 not in html


def test_written_beside_and_renamed(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("older")
    assert write_report(made.session_store(), target) == target
    assert target.read_text(encoding="utf-8") == render_report(made.session_store())
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"report\.html could not be written") as caught:
        write_report(made.plateau(), tmp_path / "nowhere" / "report.html")
    assert caught.value.seen == "No such file or directory"


def test_a_folder_in_the_files_place_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.mkdir()
    with pytest.raises(StoreError):
        write_report(made.plateau(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
