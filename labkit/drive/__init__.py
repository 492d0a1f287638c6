"""Driving an app: start a real server, play load in equal rungs, look at its workers, record a capture."""

from labkit.drive.options import RecordOptions
from labkit.drive.record import record

__all__ = ["RecordOptions", "record"]
