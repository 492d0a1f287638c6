"""The i-th visit is the same whoever plays it, and whenever."""

import json

from labkit.cases import Load, Step
from labkit.drive.visits import WORD_LENGTH, Script


def script(*steps: Step, seed: int = 1) -> Script:
    return Script(Load(seed=seed, steps=steps))


def test_a_visit_depends_on_the_seed_and_its_number_alone():
    step = Step(request="GET /{i}/{word}")
    one, again, other_seed = script(step), script(step), script(step, seed=2)
    backwards = [again.visit(number) for number in reversed(range(50))]
    assert [one.visit(number) for number in range(50)] == backwards[::-1]
    assert one.visit(7) != other_seed.visit(7)


def test_all_steps_of_a_visit_share_number_and_word():
    first, second = script(
        Step(request="POST /x/{i}/{word}", body='{"word": "{word}"}', headers={"X-Id": "{i}"}),
        Step(request="GET /x/{word}"),
    ).visit(3)
    _, _, number, word = first.path.split("/")
    assert number == "3"
    assert second.path == f"/x/{word}"
    assert json.loads(first.body or b"") == {"word": word}
    assert first.headers["X-Id"] == "3"
    assert (first.method, first.name) == ("POST", "POST /x/{i}/{word}")


def test_words_are_letters_of_one_length_and_new_each_time():
    words = {script(Step(request="GET /{word}")).visit(number)[0].path[1:] for number in range(500)}
    assert len(words) == 500
    assert {len(word) for word in words} == {WORD_LENGTH}
    assert all(word.isalpha() for word in words)


def test_a_value_that_looks_like_a_placeholder_is_not_filled_in_again():
    assert script(Step(request="GET /x", body="{{i}}")).visit(1)[0].body == b"{1}"


def test_json_is_sent_as_json_unless_said_otherwise():
    def sent_as(body: str, **headers: str) -> str | None:
        request = script(Step(request="POST /x", body=body, headers=headers)).visit(0)[0]
        return request.headers.get("Content-Type", request.headers.get("content-type"))

    assert sent_as('{"n": {i}}') == "application/json"
    assert sent_as("n={i}") is None
    assert sent_as("[1]", **{"content-type": "text/plain"}) == "text/plain"


def test_a_path_is_sent_in_ascii_and_keeps_its_query():
    request = script(Step(request="GET /café/{i}?a=1&b=%20[x]")).visit(2)[0]
    assert request.path == "/caf%C3%A9/2?a=1&b=%20[x]"


def test_visits_are_whole():
    three = script(*[Step(request="GET /x")] * 3)
    assert [three.visits_for(requests) for requests in (0, 1, 3, 4, 200)] == [0, 1, 1, 2, 67]
