"""What befalls a Functions host and its workers, as it was recorded with the real one.

The faults are drawn from a random of their own, so that a schedule without them stays as it is.
"""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from random import Random


class HostFault(StrEnum):
    GET_LOST = "the answer of a get is lost"
    """The message is hidden and counted, and nobody runs it."""
    SHOWN_AGAIN = "a renewal fails"
    """The message is delivered a second time while it runs, also to the same process."""
    COUNTED_OUT = "a message was counted too often"
    """It goes to the poison queue without a call."""
    POISONED_TWICE = "two poison copies are made"
    POISON_FAILS = "a poison function fails before it begins"
    """The message comes again after ten minutes."""
    STOPPED = "a 403 stops the host"
    """It takes no more, and ends with what it has in hand unless that is done first."""
    WORKER_KILLED = "a message kills its worker"
    WORKER_RESTARTED = "the host outlives its worker"
    """Each message that the worker had in hand counts as failed. The third crash ends the host."""


class HostFaults:
    def __init__(self, random: Random, rate: float, is_stormy: Callable[[], bool]) -> None:
        self.random = random
        self.seen: Counter[HostFault] = Counter()
        self._rate = rate
        self._is_stormy = is_stormy

    def strikes(self, fault: HostFault) -> bool:
        strikes = self._is_stormy() and self.random.random() < self._rate
        self.seen[fault] += strikes
        return strikes

    def outlives_worker(self) -> bool:
        """Whether the host starts another worker in the place of one that crashed."""
        outlives = self._rate > 0 and self._is_stormy() and self.random.random() < _OUTLIVES
        self.seen[HostFault.WORKER_RESTARTED] += outlives
        return outlives


_OUTLIVES = 2 / 3
