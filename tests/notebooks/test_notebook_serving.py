"""What lessons try things on: real services, in processes of their own, as tables."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from labkit.errors import CaseError, CourseError
from labkit.notebook.serving import serve, stop_all

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    stop_all()


def test_descriptors_that_stay_are_counted_and_named() -> None:
    shop = serve("open_files")
    row = shop.ask("PUT /suppliers/s/prices", times=7, body="tea;much\n").iloc[0]
    assert (row["answers"], row["descriptors"]) == ("422 × 7", "+7")
    assert shop.open_things()["how often"].filter(like="upload.csv (deleted)").tolist() == [7]
    shop.limit_descriptors(sum(shop.open_things()["how often"]) + 6)
    row = shop.ask("PUT /suppliers/s/prices", times=7, body="tea;much\n").iloc[0]
    assert row["answers"].startswith("422 × "), row
    assert "500 × " in row["answers"]
    assert "Too many open files" in row["in the server's log"]


def test_only_exceptions_of_the_asked_requests_are_told() -> None:
    downloads = serve("09_big_responses/streams.py")
    table = downloads.ask("GET /closed-too-early", "GET /set-stream", "HEAD /set-stream", "GET /nothing")
    assert table["answers"].tolist() == ["500 × 1", "200 × 1", "200 × 1", "404 × 1"]
    assert "closed file" in table["in the server's log"].iloc[0]
    assert table["in the server's log"].iloc[1:].tolist() == ["–"] * 3


def test_answers_that_end_early_are_told_apart() -> None:
    downloads = serve("09_big_responses/streams.py")
    cut = downloads.ask("GET /fails-in-the-middle", times=2)
    assert cut["answers"].tolist() == ["200 cut off × 2"]
    left = downloads.ask("GET /eager", times=3, leave_after=1)
    assert left["answers"].tolist() == ["200 left × 3"]
    assert downloads.table("/leases").to_dict("records") == [{"request": "GET /eager", "opened": 3, "closed": 3}]


def test_the_peak_is_what_was_needed_at_once() -> None:
    downloads = serve("09_big_responses/streams.py")
    peaks = downloads.ask("GET /set-stream", "GET /whole-file")["peak memory"]
    streamed, whole = (float(text.removeprefix("+").removesuffix(" MB")) for text in peaks)
    assert whole > 35
    assert streamed < 5


def test_a_service_ends_the_one_before_and_leaves_no_process() -> None:
    first = serve("temp_files").pids()
    second = serve("temp_files").pids()
    assert not any(map(psutil.pid_exists, first))
    stop_all()
    assert not any(map(psutil.pid_exists, second))


def test_workers_that_were_replaced_are_seen_by_their_requests() -> None:
    shop = serve("12_four_workers/leaky.py", workers=2, arguments=("--max-requests", "20"))
    watched = shop.watch("GET /pages/{n}", times=100, every=10, clients=2)
    table = watched.workers()
    assert watched.answers == {"200": 100}
    assert len(table) >= 4
    assert table["seen from request"].tolist() == sorted(table["seen from request"])
    assert "USS of each worker: 2 at a time" in watched.picture().data


def test_memory_is_added_up_where_there_are_several() -> None:
    table = serve("12_four_workers/catalogue.py", workers=2, arguments=("--preload",)).memory()
    assert table.index.tolist()[-1] == "added up"
    assert len(table) == 3
    total = table.loc["added up"]
    assert total["PSS (its share)"] < 0.8 * total["RSS"]


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(CaseError):
        serve("no_such_case")
    with pytest.raises(CourseError) as told:
        serve("07_files_and_descriptors/no_such.py")
    assert "closing.py" in str(told.value)


@pytest.mark.parametrize("form", ["close", "putconn"])
def test_the_small_pool_of_a_lesson_behaves_as_the_large_one(form: str) -> None:
    orders = "08_connections_and_pools/monitor.py"
    shop = serve(orders, environment={"LESSON_DATABASE": "", "GIVE_BACK": form})
    answers = shop.ask("GET /orders/{n}", times=7)["answers"].tolist()
    assert answers == ["200 × 5, 500 × 2" if form == "close" else "200 × 7"]
    left = shop.told("/left-behind")
    assert [(one["function"], one["count"]) for one in left] == (
        [("ConnectionMiddleware.process_request", 5)] if form == "close" else []
    )


def test_without_sqlalchemy_a_dropped_connection_waits_for_the_collector_too(tmp_path: Path) -> None:
    (tmp_path / "sqlalchemy.py").write_text("raise ModuleNotFoundError('not installed')\n")
    environment = {"LESSON_DATABASE": "", "PYTHONPATH": str(tmp_path)}
    invoices = serve("08_connections_and_pools/dropped.py", environment=environment)
    table = invoices.ask("GET /dropped/{n}", "GET /collect", "GET /with-block/{n}", times=7)
    assert table["answers"].tolist() == ["200 × 5, 500 × 2", "200 × 7", "200 × 7"]
