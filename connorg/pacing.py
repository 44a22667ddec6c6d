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
    def __init__(self, ledger: Ledger, clock: Clock, calls: int) -> None:
        """`calls`: how many calls a turn is for, when nothing goes wrong."""
        self._ledger = ledger
        self._clock = clock
        self._calls = calls
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._turns: deque[Turn] = deque()

    async def turn(self) -> Turn:
        """Take a turn: the time at which an attempt may make its calls.

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
        calls = count * self._calls
        gate = await self._ledger.change_gate(lambda gate: gate.with_turns(calls, now))
        moments = gate.last_turns(calls)[:: self._calls]
        self._turns.extend(Turn(at, taken_at=now) for at in moments)
