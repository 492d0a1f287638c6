"""Several tools asked about one leaky service; judged by what the case says is wrong, not by labkit's own answer."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from IPython.display import HTML

from labkit.cases import Case, load_case, target_of
from labkit.drive.load import Players
from labkit.drive.options import RecordOptions
from labkit.drive.record import record
from labkit.drive.server import Server
from labkit.drive.visits import Script
from labkit.findings.model import Findings, SecondOpinion
from labkit.notebook.running import analyse, scratch
from labkit.store.recordings import TOOLS
from labkit.views.lesson_table import NO, lesson_table
from labkit.views.opinions import GRAPH, heap_graph_saw, price, saw_most

_MB = 1_000_000
_TURNS = 2
_HOLDER, _KIND, _TYPE, _GUILTY, _LINE = "the holder", "the kind of leak", "a type", "the guilty line", "a line"
_LOOKS_AT = {
    "objgraph": "objects the collector tracks, by type",
    "guppy3": "objects that can be reached, by type",
    "tracemalloc": "blocks of Python's allocator, by line",
    "memray": "memory asked of the system, by line",
    "py-spy": "where threads are, a hundred times a second",
    GRAPH: "objects, and who refers to whom",
}


@dataclass(frozen=True)
class Opinions:
    """What each tool said of one case: a table, and with ``cost()`` what asking cost the worker."""

    case: Case
    findings: Findings

    def _repr_html_(self) -> str:
        rows: list[list[object]] = [[self.named(one), saw_most(one)] for one in self.findings.second_opinions]
        rows.append([self.graph_named(), heap_graph_saw(self.findings)])
        return lesson_table(self.case.name, ["names", "what grew most, it says"], self.tools(), rows)

    def tools(self) -> list[str]:
        """In the order of the table."""
        return [*(one.tool for one in self.findings.second_opinions), GRAPH]

    def cost(self) -> HTML:
        """What each tool did to the worker while it looked."""
        rows = [list[object](price(one)) for one in self.findings.second_opinions]
        columns = ["looks from", "stands still for", "memory more", "time of the same requests"]
        return HTML(lesson_table("price of a look", columns, self.tools()[:-1], rows))

    def all_named(self) -> dict[str, str]:
        """What each tool named."""
        return {one.tool: self.named(one) for one in self.findings.second_opinions} | {GRAPH: self.graph_named()}

    def named(self, opinion: SecondOpinion) -> str:
        """What of the truth a tool's largest rows name."""
        if opinion.tool == "py-spy":
            return NO
        seen = [row.what for row in opinion.saw]
        if self.case.truth.grows_type in seen:
            return _TYPE
        file, first, last = self.case.guilty_span()
        if seen and seen[0] in [f"{file.name}:{line}" for line in range(first, last + 1)]:
            return _GUILTY
        return _LINE if seen and seen[0].startswith(f"{file.name}:") else NO

    def graph_named(self) -> str:
        """The same of the heap graph alone, without what memray adds to labkit's answer."""
        suspect = next((one for one in self.findings.suspects if one.kind != "native"), None)
        if suspect is None or suspect.retainer != self.case.truth.retainer:
            return NO
        return _KIND if suspect.kind == "c-reference" else _HOLDER


def five_tools(case: str) -> Opinions:
    """Have a case looked at by each tool, in turn, on the same load; the heap graph on a server of its own."""
    target, options = target_of(case), RecordOptions(tools=TOOLS, allocation_pass=False)
    capture = record(target, options, scratch() / "capture", f"labkit investigate {case} --record all", True)
    return Opinions(load_case(case), analyse(capture))


def side_by_side(*opinions: Opinions) -> HTML:
    """What each tool named of each leak."""
    tools = opinions[0].tools()
    rows: list[list[object]] = [[_LOOKS_AT[tool], *(one.all_named()[tool] for one in opinions)] for tool in tools]
    return HTML(lesson_table("tool", ["looks at", *(one.case.name for one in opinions)], tools, rows))


def cost_of_tracing(case: str, *frames: int, requests: int = 300) -> HTML:
    """A worker that traces with so many frames from its start on, beside one that does not: CPU and memory."""
    target, rows = target_of(case), []
    names = ["without", *(f"tracemalloc, {count} frame{'s' * (count > 1)}" for count in frames)]
    for count in (0, *frames):
        environment = {"PYTHONTRACEMALLOC": str(count)} if count else {}
        options = RecordOptions.for_serving(target.serve)
        with Server(target, options, scratch() / "server.log", environment=environment) as server:
            process, script, spent = server.workers[0].process, Script(target.load), []
            for turn in range(1 + _TURNS):  # the first one warms up
                visits, began = script.visits_for(requests), sum(process.cpu_times()[:2])
                players = Players(
                    server.address, script, first_visit=turn * visits, visits=visits, concurrency=2, timeout_s=60
                )
                with players:
                    players.drain(server.check)
                spent.append((sum(process.cpu_times()[:2]) - began) / requests)
            rows.append((statistics.median(spent[1:]), process.memory_full_info().uss))
    (cpu_s, size_bytes), *_ = rows
    cells: list[list[object]] = [
        [f"{spent_s / cpu_s:.1f} times", f"{uss / _MB:.0f} MB", f"{(uss - size_bytes) / _MB:+.0f} MB"]
        for spent_s, uss in rows
    ]
    return HTML(lesson_table("from the start on", ["CPU of a request", "memory (USS)", "more"], names, cells))
