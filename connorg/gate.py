"""The gate: one row in storage through which all instances agree on when Graph may be called.

It is closed for as long as Graph asks (Retry-After), and while a permission or licence is missing.
While it is open, work from the queue takes turns at a common pace, because nobody publishes what
Graph takes: the pace grows while turns are in demand, quickly until Graph first complained and
slowly after that, and drops with each complaint. Callers who wait take no turns.
"""

from datetime import datetime, timedelta
from typing import Self

from connorg.contract.model import Model
from connorg.contract.onboarding import OnboardingError

FIRST_PACE = 10.0  # calls per second of all instances together
_LOWEST_PACE = 1.0
_HIGHEST_PACE = 200.0
_QUICK_GROWTH = 1.25  # per second
_SLOW_GROWTH = 1.005  # per second
_DROP = 0.85
_FORGOTTEN = timedelta(minutes=10)  # after so long without work the pace is found anew


class Gate(Model):
    closed_until: datetime | None = None
    blocked: OnboardingError | None = None
    """The permission or licence that was missing when Graph was last called."""
    pace: float = FIRST_PACE
    paced_at: datetime | None = None
    """When the pace was last set."""
    slowed_at: datetime | None = None
    """When Graph last complained."""
    next_turn: datetime | None = None

    def is_closed(self, now: datetime) -> bool:
        return self.closed_until is not None and now < self.closed_until

    def closed(self, until: datetime, blocked: OnboardingError | None = None) -> Self:
        """Close it until a time. A later time that stands, stands."""
        until = max(until, self.closed_until or until)
        return self.model_copy(update={"closed_until": until, "blocked": blocked or self.blocked})

    def unblocked(self) -> Self:
        return self.model_copy(update={"blocked": None})

    def slowed(self, called_at: datetime, now: datetime) -> Self:
        """Drop the pace, once for all calls that were under way when Graph complained."""
        if self.slowed_at is not None and called_at <= self.slowed_at:
            return self
        pace = max(_LOWEST_PACE, self.pace * _DROP)
        return self.model_copy(update={"pace": pace, "paced_at": now, "slowed_at": now})

    def with_turns(self, count: int, now: datetime) -> Self:
        """Give out the next turns; `last_turns` tells which."""
        paced = self._grown(now)
        first = max(now, paced.closed_until or now, paced.next_turn or now)
        after = first + timedelta(seconds=count / paced.pace)
        return paced.model_copy(update={"next_turn": after})

    def last_turns(self, count: int) -> tuple[datetime, ...]:
        if self.next_turn is None:
            return ()
        step = timedelta(seconds=1 / self.pace)
        return tuple(self.next_turn - step * (count - i) for i in range(count))

    def _grown(self, now: datetime) -> Self:
        if self.paced_at is None or self.next_turn is None:
            return self.model_copy(update={"paced_at": now})
        if now - self.next_turn > _FORGOTTEN:
            fresh = {"pace": FIRST_PACE, "paced_at": now, "slowed_at": None}
            return self.model_copy(update=fresh)
        seconds = int((now - self.paced_at).total_seconds())
        if seconds < 1:
            return self
        # Only a pace that somebody waits for is known to be too slow.
        in_demand = self.next_turn > now
        growth = _QUICK_GROWTH if self.slowed_at is None else _SLOW_GROWTH
        pace = min(_HIGHEST_PACE, self.pace * growth ** min(seconds, 5)) if in_demand else self.pace
        return self.model_copy(update={"pace": pace, "paced_at": now})
