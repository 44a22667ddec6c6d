"""The stack of a campaign, and what befalls its processes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.campaign.plan import SETTINGS, Plan
from tests.stack import Stack, is_running, wait_until


@dataclass(frozen=True)
class Strike:
    what: str
    at: float
    """Seconds after the beginning."""
    back_at: float


@dataclass
class Outages:
    stack: Stack
    tell: Callable[[Strike], None]
    strikes: list[Strike] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    # The kernel ends the parts of the stack when the thread that started them ends: so one thread
    # starts them all, and lives as long as they do.
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    @classmethod
    @asynccontextmanager
    async def of_a_stack(
        cls,
        data: Path | None,
        tell: Callable[[Strike], None],
        settings: Mapping[str, str] = SETTINGS,
    ) -> AsyncIterator[Self]:
        outages = cls(Stack(settings=settings, data=data), tell)
        with outages._thread:
            await outages._in_thread(outages.stack.start)
            try:
                yield outages
            finally:
                await outages._in_thread(outages.stack.stop)

    async def strike(self, plan: Plan) -> None:
        self._started = time.monotonic()
        for number, life in enumerate(plan.kills, 1):
            await asyncio.sleep(life)
            await self.kill_functions()
            if number == plan.outage_after:
                await self._note("storage stopped", lambda: self._stop_storage(plan.outage))

    async def kill_functions(self) -> None:
        await self._note("functions killed", self._kill_functions)

    async def _note(self, what: str, strike: Callable[[], None]) -> None:
        at = self._now()
        await self._in_thread(strike)
        self.strikes.append(Strike(what, at, back_at=self._now()))
        self.tell(self.strikes[-1])

    def _kill_functions(self) -> None:
        self.stack.kill("functions")
        self.stack.restart("functions")

    def _stop_storage(self, seconds: float) -> None:
        """Stop Azurite in order, so that it writes down what it holds, and start it again."""
        pid = self.stack.pids["storage"]
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_running(pid), "storage is still there")
        time.sleep(seconds)
        self.stack.restart("storage")

    def _now(self) -> float:
        return time.monotonic() - self._started

    async def _in_thread(self, action: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, action)
