"""Which answers are normal, and what to say of those that are not."""

from __future__ import annotations

from labkit.cases import Load
from labkit.drive.faults import not_an_app_hint
from labkit.drive.load import Tally
from labkit.errors import AppAnswersErrors


class Expectations:
    """2xx, 3xx, what the load expects, and what the caller allows are normal answers."""

    def __init__(self, load: Load, allow_statuses: tuple[int, ...]) -> None:
        self._normal = {str(status) for status in (*load.expect_statuses, *allow_statuses)}

    def is_normal(self, status: str) -> bool:
        """Whether this status, or ``lost``, says that all is well."""
        return status in self._normal or status[0] in "23"

    def require_some_normal(self, tally: Tally, exception: str = "", app_name: str = "app") -> None:
        """Raise AppAnswersErrors when there are answers, and every one is an error nobody expects.

        ``exception`` is the last one the server printed, if any; ``app_name`` what it serves.
        """
        if not tally.answers or any(self.is_normal(status) for status, _ in tally.answers):
            return
        (status, name), count = tally.answers.most_common(1)[0]
        if status == "lost":
            raise AppAnswersErrors(
                "The server closes every connection without a complete answer.",
                seen=f"{count} of {tally.requests} requests, such as {name}",
                hint="read what the server printed: the app may end its worker",
            )
        said = " ".join(tally.bodies[status].decode(errors="replace").split()) or "(nothing)"
        if status.startswith("5") and exception:
            said = exception
        raise AppAnswersErrors(
            f"The app answers {status} to {name}, and nothing else to anything.",
            seen=f"{count} of {tally.requests} answers; one says: {said}",
            hint=not_an_app_hint(exception, app_name)
            or f"correct the request, or --allow-status {status} if that is its normal answer",
        )

    def counts(self, tally: Tally) -> dict[str, int]:
        """Answers by status; an unexpected one is named with its step.

        ``{"201": 600, "500 GET /x/{i}": 3, "lost": 0}``: each request is counted under one key.
        """
        counts = {"lost": 0}
        for (status, name), count in tally.answers.items():
            key = status if self._is_plain(status) else f"{status} {name}"
            counts[key] = counts.get(key, 0) + count
        return counts

    def _is_plain(self, status: str) -> bool:
        return status == "lost" or self.is_normal(status)
