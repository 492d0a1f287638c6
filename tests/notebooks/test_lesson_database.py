"""The database of a lesson: PostgreSQL where it is, and the whole lesson where it is not."""

from __future__ import annotations

from pathlib import Path

from test_notebooks import NOTEBOOKS, executed

from labkit.drive.postgresql import binaries
from labkit.notebook import databases

LESSON = next(path for path in NOTEBOOKS if path.name.startswith("08_"))


def test_it_is_started_once_and_says_what_it_is() -> None:
    found = databases.database()
    assert databases.database() is found
    assert bool(found.environment["LESSON_DATABASE"]) == bool(binaries())
    assert repr(found).startswith("PostgreSQL" if binaries() else "SQLite")
    assert databases.database("sqlite").environment == {"LESSON_DATABASE": ""}


def test_the_lesson_shows_the_same_without_postgresql(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LABKIT_WORK", str(tmp_path))
    text = LESSON.read_text(encoding="utf-8").replace("lab.database()", "lab.database('sqlite')")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    copy = folder / LESSON.name
    copy.write_text(text, encoding="utf-8")
    shown = executed(copy)
    expected = (Path(__file__).with_name(f"{LESSON.stem}.txt")).read_text(encoding="utf-8").splitlines()
    missing = [words for words in expected if words not in shown]
    assert missing == ["Not yet", "It still grows"], "only what LIVE shows"
    assert "lending.PoolTimeout" in shown
