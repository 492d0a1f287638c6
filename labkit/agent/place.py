"""The private folder in which the processes of one user say that they have an agent."""

import os
import stat

VARIABLE = "LABKIT_AGENT_DIR"
PREFIX = "/tmp/labkit-"  # noqa: S108  whoever was there first is found out below


def agent_folder() -> str:
    """The folder for this user's agents: ``LABKIT_AGENT_DIR``, else one by user number under ``/tmp``."""
    return os.environ.get(VARIABLE) or f"{PREFIX}{os.geteuid()}"


def make_private(folder: str) -> None:
    """Make ``folder``, or see that it is this user's and nobody else's; PermissionError when it is not."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    facts = os.lstat(folder)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is not a folder of this user's own")
    if facts.st_mode & 0o077:
        raise PermissionError(f"{folder} is open to others: chmod 700 {folder}")
