"""Every error labkit raises on purpose.

    LabkitError
      CaseError         UnknownCase, InvalidCase
      CourseError
      CaptureError      AppNotReady, PortTaken, AppAnswersErrors, AppHangs, WorkerDied, AgentFailed, NoAgent
      StoreError        NotACapture, NotASnapshot, TruncatedSnapshot, CorruptSnapshot, UnsupportedVersion, CannotWrite
      AnalysisError     TooFewSnapshots, IncompleteWalk, NoSuchNode
      ExchangeError     MissingLibrary

Each says what happened, what was seen and what to try, one line each. The command line prints
exactly these lines and exits with status 2; a traceback appears only with ``--debug``.
"""

from __future__ import annotations


class LabkitError(Exception):
    """What happened, what was seen, what to try: one line each."""

    def __init__(self, what: str, *, seen: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.seen = seen
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.seen:
            lines.append(f"  seen: {self.seen}")
        if self.hint:
            lines.append(f"  try:  {self.hint}")
        return "\n".join(lines)


class CaseError(LabkitError):
    """A case or a command-line target cannot be used."""


class UnknownCase(CaseError):
    """No case of that name."""


class InvalidCase(CaseError):
    """case.toml does not fit the schema; all faults are listed at once."""


class CourseError(LabkitError):
    """An exercise or the learner's folder cannot be used."""


class CaptureError(LabkitError):
    """The app, its server or the agent did not do what a capture needs."""


class AppNotReady(CaptureError):
    """The server did not come up, or the app could not be imported."""


class PortTaken(CaptureError):
    """Another process listens on the asked-for port."""


class AppAnswersErrors(CaptureError):
    """Every answer is an error status nobody said to expect."""


class AppHangs(CaptureError):
    """A request got no answer within the time allowed."""


class WorkerDied(CaptureError):
    """A server worker ended or was replaced while it was being measured."""


class AgentFailed(CaptureError):
    """The agent inside the worker could not take a snapshot."""


class NoAgent(CaptureError):
    """A process has no agent that could be asked."""


class CannotAttach(CaptureError):
    """The agent cannot be put into a process that was started without it."""


class StoreError(LabkitError):
    """A file or folder is not what it should be."""


class NotACapture(StoreError):
    """The folder is no labkit capture."""


class NotASnapshot(StoreError):
    """The file is no labkit heap snapshot."""


class TruncatedSnapshot(StoreError):
    """The snapshot ends early."""


class CorruptSnapshot(StoreError):
    """The snapshot's parts contradict each other or fail their checksum."""


class UnsupportedVersion(StoreError):
    """Written by a newer labkit, or by one too old to read."""


class CannotWrite(StoreError):
    """The file cannot be written where it should be."""


class AnalysisError(LabkitError):
    """The data does not allow the analysis."""


class TooFewSnapshots(AnalysisError):
    """Two points are never a trend."""


class IncompleteWalk(AnalysisError):
    """The walker did not reach the end of the heap; its result is refused."""


class NoValues(AnalysisError):
    """The snapshot was taken without values, as all are unless somebody asks."""


class NoSuchNode(AnalysisError):
    """The heap has no object of that number, or none of that type."""


class ExchangeError(LabkitError):
    """A heap cannot be handed to another tool."""


class MissingLibrary(ExchangeError):
    """A library that makes the wanted form is not installed."""


class Interrupted(KeyboardInterrupt):
    """The user pressed Ctrl-C; says what is left of the work, and what goes on from there."""
