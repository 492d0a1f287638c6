"""Services of ``labkit class``, graded: is labkit's verdict right of services nobody has seen?

    python benchmarks/grade_class.py [--seed 1 --seed 2 ...] [--teams 4] [--only TEAM] [--truth] [--markdown]

Makes a class for each seed. Of each service its users' conversation is played to both twins, the truth is measured
without labkit's engine (as benchmarks/measure_truth.py does, with tracemalloc in a worker), then labkit investigates
what the team is handed (service.py with load.toml) and the fixed twin. A row is right when

    both twins answer all that the conversation says;
    the first suspect is the holder in the key, and there is no other suspect;
    the fixed twin is clean;
    the key's rate is within a quarter of what was measured.

With --truth the truth alone is measured. Exit status 1 when a row is not right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import measure_truth

from labkit import pipeline
from labkit.cases import Case, Target, target_of
from labkit.course.classroom import Classroom, judged, new_class
from labkit.course.talk import first_fault
from labkit.drive.options import RecordOptions
from labkit.findings.model import Findings
from labkit.investigation import record_until_clear

SEEDS = (1, 2, 3, 4, 5)
RATE_SHARE = 0.25
#: So many requests after tracing began, all that is bounded has been replaced once.
REPLACED = 450


@dataclass(frozen=True)
class Row:
    """One service: the key, what was measured of it, and what labkit says."""

    seed: int
    team: str
    mechanism: str
    key_holder: str
    key_bytes: float
    key_objects: float
    measured_bytes: float
    measured_objects: float
    fixed_bytes: float
    said: str = ""
    said_bytes: float = 0
    others: tuple[str, ...] = ()
    answers: str = ""
    holder: str = ""
    fixed: str = ""
    seconds: float = 0

    @property
    def is_right(self) -> bool:
        """Holder and rate as in the key, nothing else accused, the fixed twin clean."""
        near = abs(self.key_bytes - self.measured_bytes) <= RATE_SHARE * self.measured_bytes
        return self.answers == "alike" and self.holder == "right" and not self.others and self.fixed == "clean" and near

    def cells(self) -> tuple[str, ...]:
        """As it is printed."""
        return (
            f"{self.seed}",
            self.team,
            self.mechanism,
            self.key_holder,
            f"{self.key_bytes:.0f}",
            f"{self.measured_bytes:.0f}",
            f"{self.key_objects:.3f}",
            f"{self.measured_objects:.3f}",
            f"{self.fixed_bytes:.0f}",
            self.answers or "-",
            "; ".join(filter(None, (self.said, *self.others))) or "-",
            f"{self.said_bytes:.0f}",
            self.fixed or "-",
            f"{self.seconds:.0f}",
            "right" if self.is_right else "WRONG",
        )


HEAD = (
    *(
        "seed",
        "team",
        "template",
        "holder in the key",
        "key B/req",
        "measured B/req",
        "key obj/req",
        "measured obj/req",
    ),
    *("fixed B/req", "answers", "labkit says", "labkit B/req", "fixed", "s", ""),
)


def measured(case: Case, mechanism: str, seed: int) -> Row:
    """The truth of one service, beside its key."""
    leaky, fixed = (
        measure_truth.measure(case, variant, rss=False, worker_class="sync", warmup=REPLACED)
        for variant in ("leaky", "fixed")
    )
    truth = case.truth
    return Row(
        seed=seed,
        team=case.name,
        mechanism=mechanism,
        key_holder=truth.retainer.replace("leaky.", "service."),
        key_bytes=truth.bytes_per_request,
        key_objects=truth.objects_per_request,
        measured_bytes=leaky.slopes["traced_bytes"],
        measured_objects=leaky.slopes["objects"],
        fixed_bytes=fixed.slopes["traced_bytes"],
    )


def investigated(target: Target) -> Findings:
    """What labkit says, as fast as ``labkit investigate`` does of a load file, without allocation sites."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        place = Path(folder) / "capture"
        capture = record_until_clear(
            target,
            RecordOptions.for_serving(target.serve, allocation_pass=False),
            place,
            "grade_class",
            False,
            lambda _: None,
        )
        return pipeline.analyse(capture)


def graded(room: Classroom, row: Row) -> Row:
    """The same row with labkit's answers."""
    began = time.monotonic()
    case = room.case(row.team)
    handed_out, twin = target_of(str(room.folder / row.team / "load.toml")), target_of(f"{case.folder}:fixed")
    faults = [first_fault(target, RecordOptions.for_serving(case.serve), case.folder) for target in (handed_out, twin)]
    found, fixed = investigated(handed_out), investigated(twin)
    names = [suspect.retainer for suspect in found.suspects]
    return replace(
        row,
        answers="; ".join(filter(None, faults)) or "alike",
        said=names[0] if names else found.verdict,
        said_bytes=found.suspects[0].grows.bytes_per_request if names else 0,
        others=tuple(names[1:]),
        holder=judged(names[0], case) if names else "missed",
        fixed="; ".join([fixed.verdict, *(suspect.retainer for suspect in fixed.suspects), *fixed.missing]),
        seconds=time.monotonic() - began,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, action="append", help=f"repeatable (default {SEEDS})")
    parser.add_argument("--teams", type=int, default=4)
    parser.add_argument("--only", action="append", default=[], help="a team or a template, repeatable")
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    between = " | " if options.markdown else "\t"
    print(between.join(HEAD), flush=True)
    rows = []
    for seed in options.seed or SEEDS:
        with tempfile.TemporaryDirectory(prefix="class-") as folder:
            room, services = new_class(Path(folder) / "class", options.teams, seed)
            for service in services:
                if options.only and not {service.name, service.mechanism}.intersection(options.only):
                    continue
                row = measured(room.case(service.name), service.mechanism, seed)
                rows.append(row if options.truth else graded(room, row))
                print(between.join(rows[-1].cells()), flush=True)
    right = sum(row.is_right for row in rows)
    print(f"{right} of {len(rows)} right, {len({row.mechanism for row in rows})} templates")
    return 0 if right == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
