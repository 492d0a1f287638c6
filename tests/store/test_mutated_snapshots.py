"""Whatever is changed in a snapshot file: it is read or refused by name, quickly and within bounded memory.

``benchmarks/fuzz_snapshots.py`` does the same at length.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import bases, fuzz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import ON_BYTES, ON_MEMBERS, Members, mutated, zipped

from labkit.errors import IncompleteWalk, StoreError
from labkit.store.snapshot import read_snapshot

FILES = 2_500


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
    assert read_snapshot(path).node_count == 62
