"""Does the same question get the same answer? Every case and twin, investigated again and again.

    .venv/bin/python benchmarks/repeatability.py [--runs 10] [--at-a-time 2] [CASE:VARIANT ...]

Prints one row per twin: how often each verdict and retainer came out, and the spread of bytes per request.
The allocation pass is left out; it does not take part in the verdict. Exit status 1 when answers differ.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from labkit.cases import list_cases


def answer(target: str) -> tuple[str, str, float]:
    """Verdict, first retainer and its bytes per request of one investigation."""
    command = [sys.executable, "-m", "labkit", "investigate", target, "--json", "--no-sites", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        return f"error: {done.stderr.splitlines()[0] if done.stderr else done.returncode}", "", 0.0
    found = json.loads(done.stdout)
    first = found["suspects"][0] if found["suspects"] else None
    rate = first["grows"]["bytes_per_request"] if first else 0.0
    return found["verdict"], first["retainer"] if first else "", rate


def main() -> int:
    """Investigate each target ``--runs`` times and print a row as soon as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--at-a-time", type=int, default=2)
    options = parser.parse_args()
    every = [f"{case.name}:{variant}" for case in list_cases() for variant in case.variants]
    differing = 0
    with ThreadPoolExecutor(options.at_a_time) as pool:
        for target in options.targets or every:
            answers = list(pool.map(answer, [target] * options.runs))
            verdicts = Counter(verdict for verdict, _, _ in answers)
            retainers = Counter(retainer for _, retainer, _ in answers if retainer)
            rates = [rate for _, retainer, rate in answers if retainer]
            spread = f"{min(rates):,.0f} to {max(rates):,.0f} bytes per request" if rates else ""
            print(f"{target:<28} {dict(verdicts)} {dict(retainers) or ''} {spread}", flush=True)
            differing += len(verdicts) > 1 or len(retainers) > 1
    return min(differing, 1)


if __name__ == "__main__":
    sys.exit(main())
