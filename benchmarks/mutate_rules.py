"""Delete each rule of the diagnosis in turn, and name what then comes out wrong.

    python benchmarks/mutate_rules.py [--captures DIR] [CASE ...]

Every case is recorded once (kept in DIR, if given, and taken from there the next time), then judged with all rules and
with each one missing. A rule whose loss nothing notices is dead weight, and the exit status 1. Rules about live workers
are beyond what a case can be: for those the named test file has to fail.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from labkit.cases import Case, list_cases, load_case, target_of
from labkit.drive.options import RecordOptions
from labkit.findings import conclude
from labkit.findings.evidence import Evidence, gather
from labkit.findings.model import Findings
from labkit.findings.rules import RULES
from labkit.findings.score import score
from labkit.investigation import record_until_clear
from labkit.store.capture import open_capture

REPOSITORY = Path(__file__).resolve().parents[1]
#: Rules that need what no case has: workers that restart or idle, and a framework's own classes.
IN_TESTS = {
    "restarts": "tests/findings/test_restarts.py",
    "idle": "tests/findings/test_idle.py",
    "lifecycle": "tests/findings/test_lifecycle.py",
}
_WITHOUT = """
import sys, pytest
from labkit.findings import conclude
conclude.RULES = tuple(rule for rule in conclude.RULES if not rule.__module__.endswith("." + sys.argv[1]))
sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", sys.argv[2]]))
"""


def main() -> int:
    """Record, judge, print; 1 when a rule is not missed by anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--captures", type=Path)
    options = parser.parse_args()
    cases = [load_case(name) for name in options.cases] if options.cases else list(list_cases())
    with tempfile.TemporaryDirectory() as place:
        folder = options.captures or Path(place)
        evidences = [
            (case, variant, gather(open_capture(_recorded(case, variant, folder))))
            for case in cases
            for variant in case.variants
        ]
        unnoticed = [name for name in map(_name, RULES) if not _noticed(name, evidences)]
    print(f"\n{len(RULES)} rules, {len(evidences)} captures; nobody misses: {', '.join(unnoticed) or 'none'}")
    return 1 if unnoticed else 0


def _name(rule: object) -> str:
    return str(rule.__module__).rpartition(".")[2]


def _recorded(case: Case, variant: str, folder: Path) -> Path:
    capture = folder / f"{case.name}-{variant}"
    if not capture.exists():
        target, serve = target_of(f"{case.folder}:{variant}"), case.serve
        options = RecordOptions(server=serve.server, worker_class=serve.worker_class, threads=serve.threads)
        record_until_clear(target, options, capture, "mutate_rules", False, lambda _: None)
        print(f"recorded {capture.name}", flush=True)
    return capture


def _noticed(name: str, evidences: list[tuple[Case, str, Evidence]]) -> bool:
    if name in IN_TESTS:
        command = [sys.executable, "-c", _WITHOUT, name, IN_TESTS[name]]
        failed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False).returncode == 1
        print(f"{name:<15} {IN_TESTS[name]} {'fails' if failed else 'passes all the same'}", flush=True)
        return failed
    wrong = []
    for case, variant, evidence in evidences:
        with_all, without = _judged(evidence, RULES), _judged(evidence, [one for one in RULES if _name(one) != name])
        if _is_right(case, variant, with_all) and not _is_right(case, variant, without):
            wrong.append(f"{case.name}:{variant}")
    more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
    print(f"{name:<15} {', '.join(wrong[:4]) or 'nothing comes out wrong'}{more}", flush=True)
    return bool(wrong)


def _judged(evidence: Evidence, rules: object) -> Findings:
    before = conclude.RULES
    conclude.RULES = tuple(rules)  # type: ignore[arg-type]
    try:
        return conclude.conclude(evidence)
    finally:
        conclude.RULES = before


def _is_right(case: Case, variant: str, findings: Findings) -> bool:
    """As the truth says: the verdict, the first name and no other, its kind, and the explanation of what is healthy."""
    truth = case.truth
    if not score(f"{case.name}:{variant}", variant, truth, findings).is_right:
        return False
    if findings.suspects and findings.suspects[0].kind != truth.kind:
        return False
    if truth.explained and variant == case.variants[0]:
        return any(one.kind == truth.explained and truth.retainer in one.why for one in findings.explained)
    return True


if __name__ == "__main__":
    sys.exit(main())
