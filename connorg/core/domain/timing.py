"""How long and how often: every number of the onboarding's life, in seconds."""

from dataclasses import dataclass
from datetime import datetime
from random import Random


@dataclass(frozen=True)
class Timing:
    attempt_limit: float = 20
    """The longest that one attempt waits for Graph."""
    lease_margin: float = 10
    """How much longer than an attempt its lease lasts."""
    settle: float = 35
    """How long after a POST of unknown fate Graph may not yet list what the POST created. No
    document says; creates were seen listed at once. Until then a search that finds nothing proves
    nothing, and no second POST is sent."""
    shortest_backoff: float = 5
    longest_backoff: float = 15 * 60
    blocked_retry: float = 30
    """How long Graph is not called after it refused the app because of a permission or licence."""
    lookup_retry: float = 15 * 60
    """How long no tenant is looked up after Graph refused it for want of a permission."""
    jitter: float = 5
    """The time over which attempts that waited at the closed gate come back."""
    give_up: float = 24 * 60 * 60
    """After this an onboarding fails; it is kept and can be replayed."""

    retention: float = 365 * 24 * 60 * 60
    """How long after its end an onboarding is kept; 0: for ever."""
    confirm_after: float = 5 * 60
    """How long after its end an onboarding's organization is believed to exist."""
    confirming: float = 60
    """How long a submit may take to find out whether one still exists."""
    purge_limit: float = 3 * 60
    """The longest that one purge lasts; host.json ends a function after five minutes."""

    callback_retry: float = 5
    """The shortest pause after a callback that failed."""
    callback_give_up: float = 24 * 60 * 60
    """How long after the end a callback is tried."""

    def gate_jitter(self, random: Random) -> float:
        """Return how long after the gate opens a waiting attempt comes back."""
        return random.uniform(0, self.jitter)

    @property
    def lease(self) -> float:
        return self.attempt_limit + self.lease_margin

    def backoff(self, attempts: int, random: Random) -> float:
        return self._jittered(self.shortest_backoff, attempts, random)

    def callback_backoff(self, failures: int, random: Random) -> float:
        return self._jittered(self.callback_retry, failures, random)

    def _jittered(self, shortest: float, attempts: int, random: Random) -> float:
        """Exponential with full jitter: the cap doubles with each attempt."""
        # Past 2^16 the cap has long been reached; the bound keeps the power small.
        cap = min(self.longest_backoff, shortest * 2 ** min(attempts, 16))
        return random.uniform(shortest, cap)


def seconds_until(moment: datetime | None, now: datetime) -> float:
    """Return how many seconds lie ahead, never less than 0; None is now."""
    return 0.0 if moment is None else max(0.0, (moment - now).total_seconds())
