"""Which answers are normal, and what to say of those that are not."""

from __future__ import annotations

from labkit.cases import Load
from labkit.drive.load import Tally
from labkit.errors import AppAnswersErrors


class Expectations:
    """2xx, 3xx, what the load expects, and what the caller allows are normal answers."""

    def __init__(self, load: Load, allow_statuses: tuple[int, ...]) -> None:
        self._normal = {str(status) for status in (*load.expect_statuses, *allow_statuses)}
        self._several_steps = len(load.steps) > 1

    def is_normal(self, status: str) -> bool:
        """Whether this status, or ``lost``, says that all is well."""
        return status in self._normal or status[0] in "23"

    def require_some_normal(self, tally: Tally) -> None:
        """Raise AppAnswersErrors when there are answers, and every one is an error nobody expects."""
        if not tally.answers or any(self.is_normal(status) for status, _ in tally.answers):
            return
        (status, name), count = tally.answers.most_common(1)[0]
        if status == "lost":
            raise AppAnswersErrors(
                "The server closes every connection without a complete answer.",
                seen=f"{count} of {tally.requests} requests, such as {name}",
                hint="read what the server printed: the app may end its worker",
            )
        body = " ".join(tally.bodies[status].decode(errors="replace").split())
        raise AppAnswersErrors(
            f"The app answers {status} to {name}, and nothing else to anything.",
            seen=f"{count} of {tally.requests} answers; one says: {body or '(nothing)'}",
            hint=f"correct the request, or --allow-status {status} if that is its normal answer",
        )

    def counts(self, tally: Tally) -> dict[str, int]:
        """Answers by status; an unexpected one of a load of several steps is named with its step.

        ``{"201": 600, "500 GET /x/{i}": 3, "lost": 0}``: each request is counted under one key.
        """
        counts = {"lost": 0}
        for (status, name), count in tally.answers.items():
            key = f"{status} {name}" if self._several_steps and not self._is_plain(status) else status
            counts[key] = counts.get(key, 0) + count
        return counts

    def _is_plain(self, status: str) -> bool:
        return status == "lost" or self.is_normal(status)
