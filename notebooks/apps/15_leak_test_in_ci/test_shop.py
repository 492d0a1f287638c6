"""Leak tests as a team would write them: the shop before it was mended, and after."""

import pytest

LOAD = ["PUT /sessions/{i}-{word}", "DELETE /sessions/{i}-{word}"]
SIGN_IN = {"user": "{word}"}


@pytest.mark.labkit(app="sample_apps/session_cache/leaky.py:app", requests=LOAD, body=SIGN_IN)
def test_a_visit_leaves_nothing_behind_before(labkit_app):
    labkit_app.check()


@pytest.mark.labkit(app="sample_apps/session_cache/fixed.py:app", requests=LOAD, body=SIGN_IN)
def test_a_visit_leaves_nothing_behind_after(labkit_app):
    labkit_app.check()
