"""Tools from PyPI, each in an environment of its own: pytest-memray, memalot, python-leak-hunter and dozer."""

from __future__ import annotations

import gc
import re
import tempfile
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

from detectors.player import MIN_BYTES, MIN_OBJECTS, WINDOWS, Player, Said

SHOWN = 10
#: Where memalot looks for who refers to an object it stops after so long, five minutes by default.
SEARCH_S = 2.0
#: It searches for so many objects, 30 by default, which takes longer than a tool has here.
SEARCHED = 3
_TEST = """
import gc
import pytest

@pytest.mark.limit_leaks("{limit} B")
def test_visits(windows, play):
    for _ in range(windows):
        play()
    gc.collect()
"""


def pytest_memray(play: Player) -> Said:
    """A test with the marker ``limit_leaks``; it fails with every stack that left more than the limit behind."""
    import contextlib
    import io

    import pytest

    class Given:
        @pytest.fixture
        def play(self) -> Player:
            return play

        @pytest.fixture
        def windows(self) -> int:
            return WINDOWS

    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
        file = Path(folder) / "test_visits.py"
        file.write_text(_TEST.format(limit=WINDOWS * MIN_BYTES), encoding="utf-8")
        options = ["--memray", "--stacks=100", "--rootdir", folder, "-p", "no:cacheprovider", "--capture=no"]
        status = pytest.main([*options, str(file)], plugins=[Given()])
    text = said.getvalue()
    leaks = "memray-leaked-memory" in text
    if status != (1 if leaks else 0):
        raise RuntimeError(f"pytest ended with {status}: {text}")
    return text.partition("MEMRAY REPORT")[0] if leaks else "", leaks  # after it: where most was at once, no leak


def memalot_monitor(play: Player) -> Said:
    """Its context manager: a window to warm up, then what the second made and who refers to it.

    Of ``max_object_age_calls`` 2.0.3 bears 1 and 2; with 3 it ends with "Unexpected state".
    """
    import memalot

    lines: list[str] = []
    monitor = memalot.create_leak_monitor(
        warmup_calls=1,
        max_object_age_calls=2,
        referrers_module_prefixes={play.module_name},
        referrers_search_timeout=SEARCH_S,
        max_object_details=SEARCHED,
        save_reports=False,
        output_func=lines.append,
    )
    for _ in range(WINDOWS):
        with monitor:
            play()
    text = "\n".join(lines)
    counts = [int(count) for count in re.findall(r"\u2502\s+(\d+)\s+\u2502$", text, re.MULTILINE)]
    return text, any(count >= MIN_OBJECTS for count in counts)


def leak_hunter_growth(play: Player) -> Said:
    """``measure_growth`` with its allocation sites, then ``why_alive`` for each type it lists."""
    from leak_hunter import measure_growth, why_alive

    report = measure_growth(
        play.visit,
        iterations=play.visits,
        warmup=play.visits,
        min_per_call=min(0.5, MIN_OBJECTS / play.visits),
        trace_allocations=True,
    )
    chains = [why_alive(growth.type_name).format() for growth in report.growing[:SHOWN]]
    return "\n".join([report.format(), *chains]), report.leaked


def dozer_pages(play: Player) -> Said:
    """Its pages: types whose number rose in each window, and the tree of referrers of the newest object of each."""
    from dozer import Dozer

    class Patient(Dozer):  # type: ignore[misc]
        period = 3600  # its thread counts once at the start; the later counts are asked for between windows

    made: list[Any] = []

    def around(app: Any) -> Any:
        made.append(Patient(app))
        return lambda environ, start: made[0](environ | {"wsgi.multiprocess": False}, start)

    client = play.wrap(around)
    play()
    counts = []
    for window in range(1 + WINDOWS):
        if window:
            play()
        made[0].tick()
        counts.append(_dozer_counts(client.simulate_get("/_dozer/index").text))
    gained = {
        name: last - counts[0].get(name, 0)
        for name, last in counts[-1].items()
        if all(after.get(name, 0) - before.get(name, 0) >= MIN_OBJECTS for before, after in pairwise(counts))
    }
    said = []
    for name in sorted(gained, key=gained.__getitem__, reverse=True)[:SHOWN]:
        said.append(f"{name} +{gained[name]}")
        gc.collect()
        ids = re.findall(rf"/_dozer/trace/{re.escape(name)}/(\d+)", client.simulate_get(f"/_dozer/trace/{name}").text)
        if ids:
            said.append(unescape(client.simulate_get(f"/_dozer/tree/{name}/{ids[-1]}").text))
    return "\n".join(said), bool(gained)


def _dozer_counts(page: str) -> dict[str, int]:
    rows = re.findall(r'class="typecount">(.*?)<br />.*?Cur: (\d+)', page, re.DOTALL)
    return {unescape(name): int(count) for name, count in rows}
