"""How long a queue pump waits after it found no message (queue extension, QueueListener)."""

import random
from collections.abc import Callable
from dataclasses import dataclass

SHORTEST_SECONDS = 0.1
SPREAD = 0.2


def _spread() -> float:
    return random.uniform(1 - SPREAD, 1 + SPREAD)


@dataclass
class PollingBackoff:
    """Doubles the wait from 100 ms up to maxPollingInterval (seconds), randomized by a fifth.

    A message starts it again.
    """

    longest: float
    spread: Callable[[], float] = _spread
    _doublings: int = 0

    def next_wait(self, *, found_message: bool) -> float:
        if found_message:
            self._doublings = 1
            return SHORTEST_SECONDS
        if not self._doublings:
            increment = 0.0
        else:
            increment = self.spread() * 2.0 ** (self._doublings - 1) * SHORTEST_SECONDS
        wait = SHORTEST_SECONDS + increment
        if wait >= self.longest:
            return self.longest
        self._doublings += 1
        return wait
