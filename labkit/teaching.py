"""``labkit class``: services for the teams of a training, their answers, their checks, their board. It prints."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from labkit.arguments import PROGRAM
from labkit.course.classroom import TRAINER, Classroom, new_class
from labkit.views.board import board_text

PASSED, FAILED = 0, 1
_TOLD = {
    "right": "right: that is what holds the memory.",
    "near": "near: it has to do with it, and what holds the memory has another name. Look along the chain.",
    "wrong": "wrong: that does not hold what grows.",
}


def run_class(options: argparse.Namespace) -> int:
    """One of the actions of ``labkit class``; its exit status."""
    run: dict[str, Callable[[argparse.Namespace], int]] = {
        "new": _new,
        "check": _check,
        "answer": _answer,
        "board": _board,
        "reset": _reset,
    }
    return run[options.action](options)


def _new(options: argparse.Namespace) -> int:
    room, services = new_class(Path(options.out), options.teams, options.seed)
    for service in services:
        print(f"{room.folder / service.name}: {service.title}")
    print(f"For you alone: {room.folder / TRAINER / 'key.md'}. For the wall: {room.board.page}.")
    return PASSED


def _check(options: argparse.Namespace) -> int:
    room = Classroom(Path(options.dir))
    team = room.team(options.team)
    graded = room.check(team)
    room.board.note_check(team, graded.passed)
    print(f"{team}: {'passed' if graded.passed else 'refused'}. {graded.reason}")
    if graded.lesson:
        print(graded.lesson)
    return PASSED if graded.passed else FAILED


def _answer(options: argparse.Namespace) -> int:
    room = Classroom(Path(options.dir))
    team = room.team(options.team)
    verdict = room.answer(team, options.name)
    room.board.note_answer(team, verdict)
    print(f"{team}: {_TOLD[verdict]}")
    return PASSED if verdict == "right" else FAILED


def _board(options: argparse.Namespace) -> int:
    board = Classroom(Path(options.dir)).board
    board.write_page()
    print(board_text(board.rows()))
    print(f"For the wall: {board.page}")
    return PASSED


def _reset(options: argparse.Namespace) -> int:
    room = Classroom(Path(options.dir))
    for team in [room.team(options.team)] if options.team else room.teams:
        print(f"{team}: {room.reset(team)} is as it was; {PROGRAM} class board has forgotten what was done.")
    return PASSED
