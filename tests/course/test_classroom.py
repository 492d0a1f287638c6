"""``labkit class``, as a trainer and teams type it."""

from __future__ import annotations

import json
import multiprocessing
import re
from pathlib import Path

import pytest

from labkit.cases import target_of
from labkit.cli import main
from labkit.course.classroom import Classroom, new_class
from labkit.errors import CaseError, CourseError, LabkitError
from labkit.views.board import Row, board_page, board_text


@pytest.fixture
def room(tmp_path: Path) -> Classroom:
    return new_class(tmp_path / "class", 3, 7)[0]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["class", *words])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_a_new_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "class"
    status, said = told(capsys, "new", "--teams", "2", "--seed", "3", "--out", str(folder))
    assert status == 0
    assert "key.md" in said
    assert sorted(path.name for path in folder.iterdir()) == ["board.html", "board.json", "team-1", "team-2", "trainer"]
    key = (folder / "trainer" / "key.md").read_text()
    assert key.count("```diff") == 2
    assert len(re.findall(r"^\* (?:holder|mechanism|line|rate|cure)", key, re.MULTILINE)) == 10
    status, said = told(capsys, "new", "--out", str(folder))
    assert status == 2
    assert "is not empty" in said


def test_a_class_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = told(capsys, "new", "--teams", "0", "--out", str(tmp_path / "class"))
    assert (status, "  try:  --teams 1 to" in said) == (2, True)
    assert not (tmp_path / "class").exists()
    status, said = told(capsys, "board", "--dir", str(tmp_path))
    assert status == 2
    assert re.match(r"error: There is no class in .*\n  seen: .*\n  try:  ", said)


def test_a_load_file_is_a_target(room: Classroom) -> None:
    target = target_of(str(room.folder / "team-1" / "load.toml"))
    assert target.label == "team-1:service"
    assert target.truth is None
    assert target.load == room.case("team-1").load


def test_a_load_file_with_faults(room: Classroom) -> None:
    file = room.folder / "team-1" / "load.toml"
    file.write_text('app = "../service.py"\n[load]\nsteps = []\n')
    with pytest.raises(CaseError, match="cannot be used") as fault:
        target_of(str(file))
    assert "app:" in fault.value.seen
    assert "load.steps" in fault.value.seen


def test_answers(room: Classroom) -> None:
    for team in room.teams:
        case = room.case(team)
        holder = case.truth.retainer.replace("leaky.", "service.")
        assert room.answer(team, holder) == "right"
        assert room.answer(team, f" `{holder}` ") == "right"
        assert room.answer(team, "service.NOTHING_OF_THE_KIND") == "wrong"
        assert room.answer(team, case.truth.grows_type) in ("near", "right")
    with pytest.raises(CourseError):
        room.answer("team-1", " ")


def test_an_answer_gives_nothing_away(room: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    truth = room.case("team-1").truth
    where = ["--dir", str(room.folder)]
    for name, status in (("service.NOTHING", 1), (truth.grows_type, 1), (truth.retainer, 0)):
        got, said = told(capsys, "answer", "1", name, *where)
        assert got == status
        assert truth.retainer.rpartition(".")[2] not in said
    row = room.board.rows()[0]
    assert (row.answers, row.answer, bool(row.found_at)) == (3, "right", True)
    told(capsys, "answer", "1", "service.NOTHING", *where)
    assert room.board.rows()[0].found_at == row.found_at
    assert truth.retainer.rpartition(".")[2] not in (room.folder / "board.json").read_text()


def test_unknown_teams(room: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = told(capsys, "answer", "team-9", "service.X", "--dir", str(room.folder))
    assert status == 2
    assert "there are: team-1, team-2, team-3" in said


def test_reset(room: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    file = room.service_file("team-2")
    untouched = file.read_text()
    file.write_text("mine\n")
    room.board.note_answer("team-2", "right")
    room.board.note_answer("team-3", "near")
    status, _ = told(capsys, "reset", "team-2", "--dir", str(room.folder))
    assert status == 0
    assert file.read_text() == untouched
    assert file.with_name("service.before-reset.py").read_text() == "mine\n"
    assert [row.answers for row in room.board.rows()] == [0, 0, 1]
    file.unlink()
    told(capsys, "reset", "--dir", str(room.folder))
    assert file.read_text() == untouched
    assert [row.answers for row in room.board.rows()] == [0, 0, 0]


def note_often(folder: str) -> None:
    board = Classroom(Path(folder)).board
    for _ in range(10):
        board.note_answer("team-1", "wrong")


def test_teams_may_write_at_the_same_time(room: Classroom) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=note_often, args=(str(room.folder),)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert room.board.rows()[0].answers == 30
    assert [file.name for file in room.folder.glob("*.partial")] == []


def test_the_board(room: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    room.board.note_answer("team-3", "right")
    room.board.note_check("team-3", False)
    status, said = told(capsys, "board", "--dir", str(room.folder))
    assert status == 0
    assert re.search(r"team-3 +found at \d\d:\d\d +1 +refused +1", said)
    assert "3 teams: 1 found it, 0 mended it" in said
    page = room.board.page.read_text()
    assert "✓ found at" in page
    assert 'http-equiv="refresh"' in page
    assert not re.findall(r"https?://|src=|@import", page)
    (room.folder / "board.json").write_text("{")
    with pytest.raises(LabkitError, match="board cannot be read"):
        room.board.rows()


def test_names_are_escaped_on_the_page() -> None:
    rows = [Row("team-<1>", answer="near")]
    assert "team-&lt;1&gt;" in board_page(rows)
    assert "near" in board_text(rows)


def test_a_check_measures(room: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--dir", str(room.folder)]
    status, said = told(capsys, "check", "team-1", *where)
    assert status == 1
    assert "team-1: refused. It still grows: " in said
    room.service_file("team-1").write_text(room.case("team-1").app_file("fixed").read_text())
    status, said = told(capsys, "check", "team-1", *where)
    assert (status, said.count("passed")) == (0, 1), said
    row = json.loads((room.folder / "board.json").read_text())["teams"]["team-1"]
    assert (row["checks"], row["check"], bool(row["passed_at"])) == (2, "passed", True)


def test_a_service_that_answers_otherwise_is_refused(room: Classroom, capsys: pytest.CaptureFixture[str]) -> None:
    file = room.service_file("team-2")
    file.write_text(file.read_text().replace('{"number": number', '{"nr": number'))
    status, said = told(capsys, "check", "2", "--dir", str(room.folder))
    assert status == 1
    assert "does not do its work as before" in said
