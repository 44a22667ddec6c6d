"""What a campaign does, all drawn from one seed: who sends what when, and what breaks when.

The seed repeats the plan. How the processes then meet is up to the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Self

from tests.end_to_end.client import Json, Partner

FAILING = 0.3  # of all calls to Graph
ATTEMPT_SECONDS = 3
LATENCY_SECONDS = 0.1  # so that a kill finds calls under way
LISTING_SECONDS = 1  # until Graph lists what it created

# Everything that is waited for is short, or a campaign would take hours.
SETTINGS: Mapping[str, str] = {
    "CONNORG_WAIT_SECONDS": "3",
    "CONNORG_ATTEMPT_SECONDS": str(ATTEMPT_SECONDS),
    # Longer than a create can stay unlisted: sent at an attempt's last moment, then late, then
    # listed late.
    "CONNORG_SETTLE_SECONDS": "6",
    # What a killed process held in hand comes back after this, not after ten minutes.
    "LOCAL_HOST_QUEUE_LEASE_SECONDS": "4",
}

FAULTS: tuple[Json, ...] = (
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 502},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 504},
    {"fault": "throttle", "retryAfter": 1},
    {"fault": "reset"},
    {"fault": "close"},
    {"fault": "hang", "seconds": 2 * ATTEMPT_SECONDS},
    # Carried out when whoever asked has given up.
    {"fault": "delay", "seconds": ATTEMPT_SECONDS + 1},
    {"fault": "commit_then_reset"},
    {"fault": "commit_then_status", "status": 504},
    {"fault": "html", "status": 502},
    {"fault": "html", "status": 200},
)

HTTP, QUEUE = "http", "queue"
# By which ways a partner is sent, and how often so.
WAYS: Mapping[tuple[str, ...], int] = {
    (HTTP,): 3,
    (QUEUE,): 3,
    (HTTP, HTTP): 2,
    (HTTP, QUEUE): 2,
    (QUEUE, QUEUE): 2,
}
PREFERENCES: tuple[Mapping[str, str], ...] = (
    {},
    {"prefer": "respond-async"},
    {"prefer": "wait=1"},
)
BULK = 1 / 3  # of the partners: they come as one wave
KEYED = 1 / 3  # of the partners: their callers send an Idempotency-Key
AT_ONCE = 1 / 2  # of the duplicates: they come with the first
LONGEST_GAP = 10.0  # seconds between the first and a duplicate that comes later
LONGEST_PEACE = 8.0  # seconds from a start of the functions until they are killed
LONGEST_OUTAGE = 4.0  # seconds that storage stays stopped
RESTART_SECONDS = 2.0  # about; only to spread the traffic over all kills


@dataclass(frozen=True)
class Sending:
    """One request or one message for a partner."""

    partner: Partner
    way: str
    at: float
    """Seconds after the beginning."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    seed: int
    sendings: tuple[Sending, ...]
    kills: tuple[float, ...]
    """For each kill of the functions: the seconds that they live before it."""
    outage_after: int
    """The kill after which storage is stopped."""
    outage: float
    faults: tuple[Json, ...]

    @classmethod
    def draw(cls, seed: int, partners: int, kills: int) -> Self:
        random = Random(seed)
        lives = tuple(random.uniform(0, LONGEST_PEACE) for _ in range(kills))
        span = sum(lives) + kills * RESTART_SECONDS
        wave = random.uniform(0, span)
        sendings = [
            sending
            for number in range(partners)
            for sending in _sendings(random, number, wave, span)
        ]
        return cls(
            seed=seed,
            sendings=tuple(sendings),
            kills=lives,
            outage_after=random.randint(1, kills),
            outage=random.uniform(0, LONGEST_OUTAGE),
            faults=_faults(random),
        )

    @property
    def partners(self) -> frozenset[Partner]:
        return frozenset(sending.partner for sending in self.sendings)

    @property
    def duplicates(self) -> int:
        return len(self.sendings) - len(self.partners)


def _sendings(random: Random, number: int, wave: float, span: float) -> list[Sending]:
    partner = Partner(f"partner-{number}.example")
    first = wave if random.random() < BULK else random.uniform(0, span)
    [ways] = random.choices(list(WAYS), list(WAYS.values()))
    key = {"idempotency-key": f"ticket-{number}"} if random.random() < KEYED else {}
    gap = 0.0 if random.random() < AT_ONCE else random.uniform(0, LONGEST_GAP)
    return [
        Sending(partner, way, at, {**random.choice(PREFERENCES), **key} if way == HTTP else {})
        for way, at in zip(ways, (first, first + gap), strict=False)
    ]


def _faults(random: Random) -> tuple[Json, ...]:
    """Return rules that strike equally often, FAILING of all calls together.

    The first rule that strikes a call is the last that is asked, so later ones must strike a
    larger share of the calls that they see.
    """
    share = FAILING / len(FAULTS)
    return tuple(
        {
            **fault,
            "path": "connectedOrganizations|tenantRelationships",
            "probability": share / (1 - share * earlier),
            "seed": random.randrange(2**31),
        }
        for earlier, fault in enumerate(FAULTS)
    )
