"""Exercises: a working copy, a check by measurement, hints, a reveal."""

from __future__ import annotations

import difflib
from dataclasses import replace

from IPython.display import HTML

from labkit.course.exercise import list_exercises, load_exercise
from labkit.course.grade import grade
from labkit.course.workspace import Workspace
from labkit.views import course


def exercise(name: str) -> HTML:
    """The task, and where the working copy is; it is made at the first time and never made over."""
    one, work = load_exercise(name), Workspace()
    return HTML(course.task_card(one.task, work.app_file(one), len(one.hints)))


def check(name: str) -> HTML:
    """Measure the working copy and say whether it is cured, and if not, why. Takes some ten seconds."""
    one, work = load_exercise(name), Workspace()
    graded = grade(one, work.app_file(one))
    state = work.state(name)
    work.note(name, replace(state, checks=state.checks + 1, passed=state.passed or graded.passed))
    left = len(one.hints) - state.hints
    return HTML(course.grade_card(graded.passed, graded.reason, graded.lesson, one.explain, left))


def hint(name: str) -> HTML:
    """The next hint; after the last, all of them again."""
    one, work = load_exercise(name), Workspace()
    state = work.state(name)
    seen = min(state.hints + 1, len(one.hints))
    work.note(name, replace(state, hints=seen))
    return HTML(course.hints_card(one.hints[:seen], len(one.hints)))


def reveal(name: str) -> HTML:
    """One cure as a difference to the untouched app, and why it is one."""
    one, work = load_exercise(name), Workspace()
    work.note(name, replace(work.state(name), revealed=True))
    before, after = (one.case.app_file(which).read_text(encoding="utf-8").splitlines() for which in ("leaky", "fixed"))
    changed = list(difflib.unified_diff(before, after, "untouched", "cured", lineterm="", n=2))
    return HTML(course.reveal_card(changed, one.explain))


def reset(name: str) -> HTML:
    """The untouched app again; what was there is kept beside it."""
    one, work = load_exercise(name), Workspace()
    text = f"{name} is untouched again. What you had is in app.before-reset.py."
    return HTML(course.note_card(text, work.reset(one)))


def progress() -> HTML:
    """All exercises, and how far each is."""
    work = Workspace()
    rows = [(one.lesson, one.name, work.state(one.name)) for one in list_exercises()]
    return HTML(
        course.progress_table([(lesson, name, s.passed, s.revealed, s.checks, s.hints) for lesson, name, s in rows])
    )
