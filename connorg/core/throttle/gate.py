"""The gate: one row in storage through which all instances agree on when Graph may be called.

It is closed for as long as Graph asks (Retry-After), and while a permission or licence is missing.
While it is open, work from the queue takes turns at a common pace, because it is not published what
Graph takes: the pace grows while turns are in demand, quickly until Graph first complained and
slowly after that, and drops with each complaint. Callers that wait take no turns.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, Self

from pydantic import ConfigDict

from connorg.contract.model import Model
from connorg.contract.onboarding import OnboardingError

FIRST_PACE = 16.0  # calls per second of all instances together: a full tenant within five minutes
_LOWEST_PACE = 1.0
_HIGHEST_PACE = 200.0
_QUICK_GROWTH = 1.4  # per second, until the first complaint
_CALM_GROWTH = 1.005  # per second, when the last complaint is no longer fresh
_FRESH = timedelta(seconds=60)  # the pace holds for this time: each complaint costs a pause
_DROP = 0.94  # of what Graph took: calls that come a few hundredths late must not be too many
_HELD_DROP = 0.98  # of a pace that Graph took and that has not grown: some calls came late, at once
_LARGEST_DROP = 0.5  # one complaint proves little: Graph also serves others
_SECOND = timedelta(seconds=1)
_FORGOTTEN = timedelta(minutes=10)  # after this time without work the pace is found again
_REMEMBERED = 30  # paces, of a second at least: no attempt waits that long for Graph's answer


class Pace(Model):
    model_config = ConfigDict(extra="ignore")

    since: datetime
    """The first turn that was given out at this pace."""
    calls: float
    """Calls per second."""


class Gate(Model):
    # No work, only what was learnt in the last minutes: what a newer version adds may be lost.
    model_config = ConfigDict(extra="ignore")

    closed_until: datetime | None = None
    blocked: OnboardingError | None = None
    """The permission or licence that was missing when Graph was last called."""
    lookups_denied_until: datetime | None = None
    """Before this no tenants are looked up: the permission for it was missing."""
    paces: tuple[Pace, ...] = ()
    paced_at: datetime | None = None
    """When the pace was last looked at."""
    slowed_at: datetime | None = None
    """When Graph last complained. Turns given out before are void."""
    next_turn: datetime | None = None

    @property
    def pace(self) -> float:
        return self.paces[-1].calls if self.paces else FIRST_PACE

    @property
    def apart(self) -> timedelta:
        """How long after a turn the next one is, at this pace."""
        return timedelta(seconds=1 / self.pace)

    def is_closed(self, now: datetime) -> bool:
        return self.closed_until is not None and now < self.closed_until

    def denies_lookups(self, now: datetime) -> bool:
        return self.lookups_denied_until is not None and now < self.lookups_denied_until

    def closed(self, until: datetime, blocked: OnboardingError | None = None) -> Self:
        """Close it until a time. A later time is kept."""
        until = max(until, self.closed_until or until)
        return self.model_copy(update={"closed_until": until, "blocked": blocked or self.blocked})

    def unblocked(self) -> Self:
        return self.model_copy(update={"blocked": None})

    def without_lookups(self, until: datetime) -> Self:
        return self.model_copy(update={"lookups_denied_until": until})

    def slowed(self, called_at: datetime, now: datetime) -> Self:
        """Drop the pace, once for all calls that were made before everybody knew of a complaint.

        Those are the calls that were under way, and those made while the gate was being closed.
        """
        if self.slowed_at is not None and called_at <= max(
            self.slowed_at, self.closed_until or self.slowed_at
        ):
            return self
        taken = self._taken_before(called_at)
        held = self.slowed_at is not None and len(self.paces) == 1 and taken == self.pace
        calls = max(_LOWEST_PACE, taken * (_HELD_DROP if held else _DROP))
        paces = (Pace(since=now, calls=calls),)
        return self.model_copy(
            update={"paces": paces, "paced_at": now, "slowed_at": now, "next_turn": now}
        )

    def voids(self, taken_at: datetime) -> bool:
        """Whether a turn that was taken then must be taken again."""
        return self.slowed_at is not None and taken_at <= self.slowed_at

    def with_turns(self, count: int, now: datetime) -> Self:
        """Hand out the next turns; `last_turns` says which."""
        first = max(now, self.closed_until or now, self.next_turn or now)
        paced = self._grown(first, now)
        after = first + timedelta(seconds=count / paced.pace)
        return paced.model_copy(update={"next_turn": after})

    def last_turns(self, count: int) -> tuple[datetime, ...]:
        if self.next_turn is None:
            return ()
        apart = self.apart
        return tuple(self.next_turn - apart * (count - i) for i in range(count))

    def _taken_before(self, refused_at: datetime) -> float:
        """Return how many calls Graph accepted in the second before it throttled one."""
        if not self.paces:
            return self.pace
        opened = max(self.paces[0].since, self.closed_until or self.paces[0].since)
        pace = self._pace_at(refused_at)
        if refused_at < opened:
            return pace
        turns = self._turns_between(max(opened, refused_at - _SECOND), refused_at)
        return max(turns, pace * _LARGEST_DROP)

    def _turns_between(self, start: datetime, end: datetime) -> float:
        ends = (*(pace.since for pace in self.paces[1:]), end)
        return sum(
            pace.calls * max(0.0, (min(until, end) - max(pace.since, start)).total_seconds())
            for pace, until in zip(self.paces, ends, strict=True)
        )

    def _pace_at(self, moment: datetime) -> float:
        paces = [pace.calls for pace in self.paces if pace.since <= moment]
        return paces[-1] if paces else self.paces[0].calls

    def _growth(self, now: datetime) -> float:
        if self.slowed_at is None:
            return _QUICK_GROWTH
        return 1.0 if now - self.slowed_at < _FRESH else _CALM_GROWTH

    def _grown(self, first: datetime, now: datetime) -> Self:
        if self.paced_at is None or self.next_turn is None or now - self.next_turn > _FORGOTTEN:
            found_anew = (Pace(since=first, calls=FIRST_PACE),)
            fresh = {"paces": found_anew, "paced_at": now, "slowed_at": None}
            return self.model_copy(update=fresh)
        if (now - self.paced_at).total_seconds() < 1:
            return self
        calls = min(_HIGHEST_PACE, self.pace * self._growth(now))
        # Only a pace that somebody waits for is known to be too slow.
        if self.next_turn <= now or calls == self.pace:
            return self.model_copy(update={"paced_at": now})
        paces = (*self.paces, Pace(since=first, calls=calls))[-_REMEMBERED:]
        return self.model_copy(update={"paces": paces, "paced_at": now})


class GateStore(Protocol):
    """Where all instances find the gate. Both methods may raise StorageUnavailableError."""

    async def read(self) -> Gate: ...

    async def change(self, change: Callable[[Gate], Gate]) -> Gate:
        """Change the gate, atomically: `change` may be asked again with what others wrote."""
        ...
