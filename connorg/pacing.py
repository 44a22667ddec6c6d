"""Turns for this process: taken from the gate for all who wait here at once."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from connorg.ports import Clock, Ledger


@dataclass(frozen=True)
class Turn:
    at: datetime
    taken_at: datetime


class Pacer:
    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._turns: deque[Turn] = deque()

    async def turn(self) -> Turn:
        """Take a turn: the time at which one call may be made.

        Raises StorageUnavailableError.
        """
        self._waiting += 1
        try:
            async with self._lock:
                if not self._turns:
                    await self._take(self._waiting)
                return self._turns.popleft()
        finally:
            self._waiting -= 1

    async def _take(self, count: int) -> None:
        now = self._clock.now()
        gate = await self._ledger.change_gate(lambda gate: gate.with_turns(count, now))
        self._turns.extend(Turn(at, taken_at=now) for at in gate.last_turns(count))
