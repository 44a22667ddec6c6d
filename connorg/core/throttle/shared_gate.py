"""The gate as this process knows it: one reading serves all callers at once."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from connorg.core.ports import Clock
from connorg.core.throttle.gate import Gate, GateStore

MOMENT = timedelta(seconds=0.05)  # half of what lies between a look at the gate and the call anyway


class SharedGate:
    """A gate.GateStore whose readings are shared, and so are those that fail.

    A reading comes from a call to storage that began a moment before at the earliest. What this
    process itself has written it knows at once. No caller waits for an older call, so that slow
    storage makes no queue of callers.
    """

    def __init__(self, store: GateStore, clock: Clock) -> None:
        self.store = store
        self._clock = clock
        self._known = Gate()
        self._known_since: datetime | None = None
        """When the call began that read what is known."""
        self._reading: asyncio.Task[Gate] | None = None
        self._reading_since: datetime | None = None

    async def read(self) -> Gate:
        asked = self._clock.now()
        if _is_recent(self._known_since, asked):
            return self._known
        if self._reading is None or not _is_recent(self._reading_since, asked):
            self._reading = asyncio.create_task(self._read(asked))
            self._reading_since = asked
            self._reading.add_done_callback(_look_at_failure)
        return await asyncio.shield(self._reading)  # others wait for it too

    async def change(self, change: Callable[[Gate], Gate]) -> Gate:
        began = self._clock.now()
        written = await self.store.change(change)
        self._learn(written, began)
        return written

    async def _read(self, began: datetime) -> Gate:
        self._learn(await self.store.read(), began)
        return self._known

    def _learn(self, gate: Gate, began: datetime) -> None:
        """Keep it, unless a call that began later was quicker."""
        if self._known_since is None or began >= self._known_since:
            self._known, self._known_since = gate, began


def _is_recent(since: datetime | None, asked: datetime) -> bool:
    return since is not None and asked - since <= MOMENT


def _look_at_failure(reading: asyncio.Task[Gate]) -> None:
    """The caller may be gone; then asyncio would report a failure that nobody read."""
    if not reading.cancelled():
        reading.exception()
