"""Let servers run under load for half an hour, take every worker's heap every 30 s, and see what becomes of them.

    .venv/bin/python benchmarks/soak.py [--minutes 30] [--every 30] [--server gthread] [--server sync] [-o soak]

Each server is a real Gunicorn with the agent of ``labkit agent`` in it: ``gthread`` has one worker of 8 threads,
``sync`` two workers; both run at the same time unless one is chosen. The app holds 200,000 dictionaries that requests
change, wherever they lie, and leaks nothing. Four clients per server ask, compare each answer with what its request
must get, and rest for --rest-ms. Every 5 s each worker is looked at from outside, never while a heap is taken.

The folder gets ``workers.csv``, ``captures.csv``, ``latencies.csv`` (one row for 10 s, requests answered during a
capture apart) and ``soak.png``; a verdict is printed. It may be interrupted: what was seen by then is written all the
same, and no process is left. Exit status 1 when a request was lost, late (30 s) or changed, a capture failed, or a
worker ended, gained a file or more threads than its pool has, kept a child, or grew by more than 1 MB from the second
tenth to the last.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
import numpy as np
import psutil

mpl.use("agg")
from matplotlib import pyplot as plt

from labkit.drive.collect import collect_snapshot
from labkit.drive.exchange import Connection
from labkit.drive.processes import end_group, has_ended, termination_unwinds
from labkit.drive.ship import ship_agent
from labkit.drive.visits import Request
from labkit.drive.workers import LiveWorker, live_workers
from labkit.errors import AgentFailed, WorkerDied

APP = """
import hashlib
HELD = [{"number": number, "name": f"name {number}"} for number in range(200_000)]
def app(environ, start_response):
    number = environ["PATH_INFO"][1:]
    for step in range(20):
        HELD[(int(number) * 7919 + step * 104729) % len(HELD)]["number"] += 1
    body = hashlib.sha256(number.encode()).hexdigest().encode() * 40
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
#: workers, threads of each with the agent's once all are in use, options
SERVERS = {"gthread": (1, 10, ["-w", "1", "--threads", "8"]), "sync": (2, 2, ["-w", "2"])}
CLIENTS = 4
TIMEOUT_S = 30
LOOK_EVERY_S = 5.0
LATENCY_EVERY_S = 10.0
GROWN_BYTES = 1 << 20
MEGABYTE = 1e6
DURING = {False: "between captures", True: "during a capture"}


@dataclass
class Clients:
    """Ask one server until told to stop; ``outcomes`` counts what became of requests."""

    port: int
    rest_s: float
    outcomes: Counter[str] = field(default_factory=Counter)
    capturing: bool = False
    durations_ms: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for number in range(CLIENTS):
            self.threads.append(threading.Thread(target=self._ask_on, args=(number,)))
            self.threads[-1].start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def taken_out(self) -> dict[bool, list[float]]:
        """The milliseconds of all answers since the last call, by whether a heap was being taken."""
        with self.lock:
            found, self.durations_ms = self.durations_ms, {False: [], True: []}
        return found

    def _ask_on(self, number: int) -> None:
        connection = Connection(("127.0.0.1", self.port), TIMEOUT_S)
        while not self.stop.wait(self.rest_s):
            number += CLIENTS
            begun_during = self.capturing
            outcome, duration_ms = self._ask(connection, number)
            with self.lock:
                self.outcomes[outcome] += 1
                if duration_ms is not None:
                    self.durations_ms[begun_during or self.capturing].append(duration_ms)
        connection.close()

    def _ask(self, connection: Connection, number: int) -> tuple[str, float | None]:
        try:
            answer = connection.ask(Request("", "GET", f"/{number}", None, {}))
        except TimeoutError:
            return "late", None
        if answer is None:
            return "lost", None
        wanted = (hashlib.sha256(str(number).encode()).hexdigest() * 40).encode()
        right = answer.status == 200 and answer.body_start == wanted[: len(answer.body_start)]
        return "right" if right else "changed", 1000 * answer.duration_s


class Soaked:
    """One server under load, and all that was seen of it."""

    def __init__(self, name: str, folder: Path, doors: Path, rest_s: float) -> None:
        self.name = name
        self.wanted, self.most_threads, options = SERVERS[name]
        self.log = folder / "log"
        self._agents = folder / "agents"
        (folder / "soaked.py").write_text(APP)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "-c", str(doors / "labkit_gunicorn.py"), "-b", f"127.0.0.1:{port}"]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--no-control-socket", *options, "soaked:app"],
                cwd=folder,
                env=os.environ | {"LABKIT_AGENT_DIR": str(self._agents)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.clients = Clients(port, rest_s)
        self.looks: list[dict[str, Any]] = []
        self.captures: list[dict[str, Any]] = []
        self.latencies: list[dict[str, Any]] = []
        self.workers: list[LiveWorker] = []

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while len(self.workers) < self.wanted:
            if time.monotonic() > deadline or has_ended(self.process):
                raise SystemExit(f"{self.name} did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)
            self.workers = live_workers(self._agents)

    def look(self, since: float) -> None:
        """From outside, while nobody takes a heap: each child there is was left by a capture."""
        for worker in self.workers:
            try:
                seen = worker.look(since)
                children = worker.process.children()
            except psutil.Error:
                continue
            zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in children)
            row = asdict(seen)
            names = ("time_s", "pid", "rss_bytes", "uss_bytes", "descriptors", "sockets", "threads")
            more = {"server": self.name, "children": len(children), "zombies": zombies}
            self.looks.append({name: row[name] for name in names} | more)

    def capture(self, since: float, heap: Path) -> None:
        for worker in self.workers:
            row: dict[str, Any] = {"time_s": round(time.monotonic() - since, 1), "server": self.name}
            row |= {
                "pid": worker.pid,
                "said": "",
                "nodes": 0,
                "pause_ms": 0.0,
                "duration_s": 0.0,
                "child_peak_bytes": 0,
            }
            self.clients.capturing = True
            try:
                cost = collect_snapshot(worker, heap, 60)
                row |= {name: cost[name] for name in ("nodes", "pause_ms", "duration_s", "child_peak_bytes")}
            except (AgentFailed, WorkerDied) as error:
                row["said"] = str(error)
            self.clients.capturing = False
            heap.unlink(missing_ok=True)
            self.captures.append(row)

    def note_latencies(self, since: float) -> None:
        for during, found in self.clients.taken_out().items():
            if found:
                p50, p99 = np.percentile(found, (50, 99))
                row = {"time_s": round(time.monotonic() - since, 1), "server": self.name, "when": DURING[during]}
                row |= {"requests": len(found), "p50_ms": p50, "p99_ms": p99, "max_ms": max(found)}
                self.latencies.append(row)

    def verdict(self) -> tuple[list[str], bool]:
        """Some lines, and whether all is well."""
        outcomes = self.clients.outcomes
        bad = {word: count for word, count in outcomes.items() if word != "right"}
        failed = [row["said"] for row in self.captures if row["said"]]
        lines = [f"{self.name}: {sum(outcomes.values()):,} requests, {bad or 'none lost, late or changed'}"]
        well = not bad and not failed and bool(self.captures)
        if self.captures:
            pauses, took = ([row[name] for row in self.captures] for name in ("pause_ms", "duration_s"))
            lines.append(
                f"  {len(self.captures)} captures, {len(failed)} failed; pause {median(pauses):.1f} ms in the middle, "
                f"{max(pauses):.1f} at most; {median(took):.2f} s each, {max(took):.2f} at most"
            )
        for when in DURING.values():
            rows = [row for row in self.latencies if row["when"] == when]
            if rows:
                of_rows = {name: median(row[name] for row in rows) for name in ("p50_ms", "p99_ms")}
                worst = max(row["max_ms"] for row in rows)
                lines.append(
                    f"  {when}: p50 {of_rows['p50_ms']:.1f} ms, p99 {of_rows['p99_ms']:.1f} ms, longest {worst:.0f} ms"
                )
        for worker in self.workers:
            rows = [row for row in self.looks if row["pid"] == worker.pid]
            told, fine = _of_worker(rows, self.most_threads)
            alive = worker.process.is_running() if psutil.pid_exists(worker.pid) else False
            lines.append(f"  worker {worker.pid}: {told}" + ("" if alive else "; it has ended"))
            well &= fine and alive
        return [*lines, *(f"  failed: {said}" for said in dict.fromkeys(failed))], well


def _of_worker(rows: list[dict[str, Any]], most_threads: int) -> tuple[str, bool]:
    tenth = len(rows) // 10
    if not tenth:
        return "looked at too seldom", False
    early, late = rows[tenth : 2 * tenth], rows[-tenth:]
    uss = [median(row["uss_bytes"] for row in part) for part in (early, late)]
    rss = [median(row["rss_bytes"] for row in part) for part in (early, late)]
    # Sockets are the clients' connections, which come and go; all other descriptors stay.
    files = [max(row["descriptors"] - row["sockets"] for row in part) for part in (early, late)]
    threads = [max(row["threads"] for row in part) for part in (early, late)]
    sockets, children = max(row["sockets"] for row in rows), sum(row["children"] for row in rows)
    told = (
        f"USS {uss[0] / MEGABYTE:.2f} -> {uss[1] / MEGABYTE:.2f} MB, RSS {rss[0] / MEGABYTE:.2f} -> "
        f"{rss[1] / MEGABYTE:.2f} MB; files {files[0]} -> {files[1]}, at most {sockets} sockets; "
        f"threads {threads[0]} -> {threads[1]}; children seen {children}"
    )
    fine = uss[1] - uss[0] <= GROWN_BYTES and files[1] <= files[0] and threads[1] <= most_threads
    return told, fine and not children


def write(folder: Path, soaked: list[Soaked]) -> None:
    """The three tables and the picture."""
    for name in ("looks", "captures", "latencies"):
        rows = [row for each in soaked for row in getattr(each, name)]
        if rows:
            with (folder / f"{'workers' if name == 'looks' else name}.csv").open("w", newline="") as stream:
                table = csv.DictWriter(stream, rows[0])
                table.writeheader()
                table.writerows(rows)
    figure, axes = plt.subplots(4, len(soaked), figsize=(7 * len(soaked), 11), sharex=True, squeeze=False)
    for column, each in zip(axes.T, soaked, strict=True):
        _draw(column, each)
    figure.tight_layout()
    figure.savefig(folder / "soak.png", dpi=90)
    plt.close(figure)


def _draw(column: Any, soaked: Soaked) -> None:
    def minutes(rows: list[dict[str, Any]]) -> list[float]:
        return [row["time_s"] / 60 for row in rows]

    latency, memory, numbers, cost = column
    latency.set(title=f"{soaked.name}, {CLIENTS} clients", ylabel="ms", yscale="log")
    for when, colour in zip(DURING.values(), ("#0a62a3", "#b04300"), strict=True):
        rows = [row for row in soaked.latencies if row["when"] == when]
        for name, style in (("p50_ms", "-"), ("p99_ms", "--"), ("max_ms", ":")):
            label = f"{name.removesuffix('_ms')} {when}"
            latency.plot(minutes(rows), [row[name] for row in rows], style, color=colour, label=label, lw=1)
    memory.set_ylabel("MB since the first look")
    numbers.set_ylabel("number")
    for worker, style in zip(soaked.workers, ("-", "--"), strict=False):
        rows = [row for row in soaked.looks if row["pid"] == worker.pid]
        for name, colour in (("rss_bytes", "#5b6470"), ("uss_bytes", "#00705a")):
            values = [(row[name] - rows[0][name]) / MEGABYTE for row in rows]
            memory.plot(minutes(rows), values, style, color=colour, label=f"{name[:3].upper()} of {worker.pid}", lw=1)
        for name, colour in (("descriptors", "#0a62a3"), ("threads", "#00705a"), ("children", "#b04300")):
            numbers.plot(minutes(rows), [row[name] for row in rows], style, color=colour, label=name, lw=1)
    cost.set(ylabel="ms", xlabel="minutes")
    cost.plot(
        minutes(soaked.captures), [row["pause_ms"] for row in soaked.captures], ".", color="#b04300", label="pause"
    )
    cost.set_ylim(bottom=0)
    for panel in column:
        panel.legend(fontsize=7, ncols=2)
        panel.grid(alpha=0.3)


def run(options: argparse.Namespace, soaked: list[Soaked], heap: Path) -> None:
    """Until the time is up or somebody interrupts."""
    since = time.monotonic()
    due = {"look": 0.0, "capture": options.every, "latency": LATENCY_EVERY_S}
    try:
        while (now := time.monotonic() - since) < options.minutes * 60:
            for each in soaked:
                if now >= due["capture"]:
                    each.capture(since, heap)
                if now >= due["look"]:
                    each.look(since)
                if now >= due["latency"]:
                    each.note_latencies(since)
            every = {"look": LOOK_EVERY_S, "capture": options.every, "latency": LATENCY_EVERY_S}
            due = {what: at + every[what] if now >= at else at for what, at in due.items()}
            time.sleep(0.1)
    except (KeyboardInterrupt, SystemExit):
        print(f"interrupted after {(time.monotonic() - since) / 60:.1f} minutes", file=sys.stderr)
    for each in soaked:
        each.clients.end()
        each.note_latencies(since)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=30, help="seconds between captures")
    parser.add_argument("--rest-ms", type=float, default=10, help="of a client, after each answer")
    parser.add_argument("--server", choices=SERVERS, action="append", help="one of them; both")
    parser.add_argument("-o", "--out", type=Path, default=Path("soak"), help="folder for tables and picture")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with termination_unwinds(), tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        doors = ship_agent(folder / "doors", sys.executable).folder
        soaked = []
        for name in options.server or SERVERS:
            (folder / name).mkdir()
            soaked.append(Soaked(name, folder / name, doors, options.rest_ms / 1000))
            stack.callback(end_group, soaked[-1].process)
            stack.callback(soaked[-1].clients.end)
        for each in soaked:
            each.wait_until_ready()
        for each in soaked:
            each.clients.start()
        run(options, soaked, folder / "soak.heap")
        verdicts = [each.verdict() for each in soaked]
        write(options.out, soaked)
    for lines, _ in verdicts:
        print("\n".join(lines))
    well = all(fine for _, fine in verdicts)
    print(f"{'all is well' if well else 'NOT WELL'}; tables and soak.png are in {options.out}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
