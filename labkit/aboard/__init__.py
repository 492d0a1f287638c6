"""What an app takes aboard with one line of its own.

These files run inside other people's workers, for as long as those live: the standard library only, and imports among
themselves alone, so that the folder can be copied into a project that has no labkit. A library the app uses is imported
when the app asks to have it watched, and not before.
"""

from .adapters import track_psycopg_pool, track_sqlalchemy, track_sqlite3
from .connections import ConnectionTracker
from .records import CheckOut, LeftBehind
from .requests import RequestMiddleware, watch

__all__ = [
    "CheckOut",
    "ConnectionTracker",
    "LeftBehind",
    "RequestMiddleware",
    "track_psycopg_pool",
    "track_sqlalchemy",
    "track_sqlite3",
    "watch",
]
