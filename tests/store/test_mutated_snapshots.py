"""Whatever is changed in a snapshot file: it is read or refused by name, quickly and within bounded memory.

``benchmarks/fuzz_snapshots.py`` does the same at length.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import bases, fuzz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import ON_BYTES, ON_MEMBERS, Members, mutated, outcome_of, zipped

from labkit.errors import CorruptSnapshot, IncompleteWalk, StoreError
from labkit.store.snapshot import read_snapshot

FILES = 2_100


@pytest.mark.timeout(600)
def test_thousands_of_changed_files(tmp_path: Path) -> None:
    """Each in a process whose memory is limited to ten times the file and 160 MiB."""
    tally = fuzz(tmp_path, 0, FILES)
    assert tally.wrong == []
    assert sum(tally.ended.values()) == FILES
    assert set(tally.changes) == {change.__name__ for change in (*ON_BYTES, *ON_MEMBERS)}
    assert tally.ended["read"] > FILES // 50, "changes so coarse that everything is refused test little"
    assert {"NotASnapshot", "TruncatedSnapshot", "CorruptSnapshot", "UnsupportedVersion", "IncompleteWalk"} < set(
        tally.ended
    )


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Members]:
    return bases(tmp_path_factory.mktemp("originals"))[:1]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 1 << 60))
def test_numbers_nobody_chose(number: int, originals: list[Members], tmp_path: Path) -> None:
    path = tmp_path / "x.heap"
    path.write_bytes(mutated(originals, number)[0])
    try:
        snapshot = read_snapshot(path)
    except (StoreError, IncompleteWalk):
        return
    assert snapshot.node_count >= 0


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms())
def test_what_is_not_changed_is_read(chance: object, originals: list[Members], tmp_path: Path) -> None:
    path = tmp_path / "x.heap"
    path.write_bytes(zipped(originals[0], chance))  # type: ignore[arg-type]
    assert read_snapshot(path).node_count == len(originals[0]["node_type.npy"][128:]) // 4


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"[" + b"[]," * 1_300_000 + b"[]]", "sites.json is made of lists, not of texts"),
        (b"[" + b"[]," * 3_000_000 + b"[]]", "sites.json claims more than 4194304 bytes"),
        (b"[" + b'"a",' * 1_000_000 + b'"a"]', "labels.json has more rows than anything points at"),
    ],
)
def test_tables_that_would_take_far_more_than_their_bytes(
    table: bytes, said: str, originals: list[Members], tmp_path: Path
) -> None:
    """24 bytes of memory for each in the file: found by changing files at random."""
    path = tmp_path / "x.heap"
    name = f"{said.partition('.')[0]}.json"
    path.write_bytes(zipped(originals[0] | {name: table}, random.Random(1)))
    assert path.stat().st_size < 50_000, "deflated"
    with pytest.raises(CorruptSnapshot) as caught:
        read_snapshot(path)
    assert said in caught.value.seen


def test_the_limits_would_be_noticed(originals: list[Members], tmp_path: Path) -> None:
    """A reader that takes 200 MiB for a small file is not let through."""
    (tmp_path / "x.heap").write_bytes(zipped(originals[0], random.Random(0)))
    script = (
        "import mutations; from pathlib import Path\n"
        "mutations.read_snapshot = lambda path: bytearray(200 << 20)\n"
        "print(mutations.outcome_of(Path('x.heap'))['ended'])"
    )
    places = [str(Path(outcome_of.__code__.co_filename).parent)]
    command = [sys.executable, "-c", f"import sys; sys.path += {places!r}\n{script}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("WRONG MemoryError")
