"""Change snapshot files at random and read them, far more of them than the test does.

    python benchmarks/fuzz_snapshots.py --files 20000
    python benchmarks/fuzz_snapshots.py --files 1 --first 4711      one file again, by its number

Each is read in a process whose address space is limited; what is wrong (another error than a named one, a
crash, more than 5 s, more memory than ten times the file and 160 MiB) is printed with its number, and the
file kept. Exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS / "store"), str(TESTS / "findings")]

from fuzzing import fuzz  # noqa: E402


def main() -> int:
    """Fuzz, print the tally; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="labkit-fuzz-"))
    start = time.monotonic()
    tally = fuzz(folder, options.first, options.files)
    print(f"{sum(tally.ended.values()):,} files in {time.monotonic() - start:.0f} s")
    print("  " + "  ".join(f"{name} {count:,}" for name, count in tally.ended.most_common()))
    print(f"  slowest: {tally.most_seconds:.2f} s of processor time")
    for line in tally.wrong:
        print(line)
    if tally.wrong:
        print(f"kept in {folder}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
