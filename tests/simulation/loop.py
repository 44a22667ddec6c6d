"""An event loop in which time is a number: it jumps to the next timer when nothing is ready."""

import asyncio
import math
import selectors
from collections.abc import Callable
from typing import Any


class _Jumps(selectors.SelectSelector):
    """Stands where the loop would wait for time to pass."""

    def __init__(self, rest: Callable[[], None]) -> None:
        super().__init__()
        self.now = 0.0
        self.latest = math.inf
        self._rest = rest

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or self.now + timeout > self.latest:
            self._rest()
        else:
            self.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Deterministic: what is ready runs in the order in which it became so."""

    def __init__(self) -> None:
        self._jumps = _Jumps(self.stop)
        super().__init__(self._jumps)

    def time(self) -> float:
        """Return the simulated seconds since the start."""
        return self._jumps.now

    def run_to_rest(self, latest: float) -> None:
        """Run until nothing is ready and no timer is left, or only timers after `latest`."""
        self._jumps.latest = latest
        self.run_forever()

    def drop_everything(self) -> None:
        """Cancel what still hangs, and close."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.set_exception_handler(lambda _loop, _context: None)
        self._jumps.latest = self.time()
        self.run_forever()
        self.close()
