"""Turns for this process: taken from the gate for all attempts that wait here, together."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from connorg.core.ports import Clock
from connorg.core.throttle.gate import Gate, GateStore

_LINE = timedelta(seconds=0.3)  # rows wait while turns for longer than this are taken
_CLOSEST = 0.98  # of the distance of turns: late calls catch up, within what Graph took


@dataclass(frozen=True)
class Turn:
    at: datetime
    taken_at: datetime
    apart: timedelta
    """How long after it the next one is."""


class Spacing:
    """Keeps apart the calls that this process is late with: at once they would be too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._next = clock.now()
        self._apart = timedelta(0)

    async def until(self, turn: Turn) -> None:
        """Sleep until a turn, and longer where calls for earlier turns were late."""
        while (wait := max(turn.at, self._next) - self._clock.now()) > timedelta(0):  # noqa: ASYNC110  others move it meanwhile
            await asyncio.sleep(wait.total_seconds())
        self._apart = turn.apart * _CLOSEST
        # A timer is always a little late. Only what is more than that moves those that follow.
        self._last = max(turn.at, self._next, self._clock.now() - self._apart / 2)
        self._next = self._last + self._apart

    def leave_room(self) -> None:
        """Leave room for a call that is made now, without a turn.

        For one between two turns: many such calls must not keep turns waiting for ever.
        """
        self._next = self._last + 2 * self._apart


class Pacer:
    def __init__(self, store: GateStore, clock: Clock, calls: int) -> None:
        """`calls`: how many calls a turn is for, when nothing goes wrong."""
        self._store = store
        self._clock = clock
        self._calls = calls
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._turns: deque[Turn] = deque()

    async def turn(self) -> Turn:
        """Take a turn: the time at which an attempt may make its calls.

        Raise StorageUnavailableError.
        """
        self._waiting += 1
        try:
            async with self._lock:
                if not self._turns:
                    await self._take(self._waiting)
                return self._turns.popleft()
        finally:
            self._waiting -= 1

    async def gate(self) -> Gate:
        """Read the gate. Raise StorageUnavailableError."""
        return await self._store.read()

    async def _take(self, count: int) -> Gate:
        now = self._clock.now()
        calls = count * self._calls
        gate = await self._store.change(lambda gate: gate.with_turns(calls, now))
        moments = gate.last_turns(calls)[:: self._calls]
        apart = gate.apart * self._calls
        self._turns.extend(Turn(at, taken_at=now, apart=apart) for at in moments)
        return gate


class PatientPacer(Pacer):
    """Turns for rows of batches: taken only when few are given out ahead of them.

    So others do not wait behind the hundred rows that a process is working on.
    """

    def __init__(self, store: GateStore, clock: Clock, calls: int) -> None:
        super().__init__(store, clock, calls)
        self._known = Gate()

    async def gate(self) -> Gate:
        self._known = await super().gate()
        return self._known

    async def _take(self, count: int) -> Gate:
        ahead = (self._known.next_turn or self._clock.now()) - self._clock.now()
        await asyncio.sleep(max(0.0, (ahead - _LINE).total_seconds()))
        most = int(self._known.pace * _LINE.total_seconds()) // self._calls
        self._known = await super()._take(min(count, max(1, most)))
        return self._known
