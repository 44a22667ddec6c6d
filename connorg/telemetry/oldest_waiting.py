"""Onboardings that this process knows to be waiting, for one figure: how long the oldest waits."""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

_REMEMBERED = 4096  # more than the organizations of a tenant; older notes are forgotten


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OldestWaiting:
    """When an onboarding is put back on the queue, the process notes since when it waits, and till
    when.

    Neither ledger nor queue can be asked for the oldest: the ledger would have to be scanned, and
    the queue shows no hidden message.
    """

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._notes: deque[tuple[datetime, datetime]] = deque(maxlen=_REMEMBERED)

    def note(self, since: datetime, until: datetime) -> None:
        self._notes.append((since, until))

    def ages(self) -> Iterator[float]:
        """Return the age of the oldest, in seconds; 0 where none is known to wait."""
        now = self._now()
        # A copy, made in one go: the event loop's thread may note another one meanwhile.
        ages = [(now - since).total_seconds() for since, until in list(self._notes) if until > now]
        yield max(ages, default=0.0)
