"""What callers and Graph can see of a campaign: while it goes on, and at its end."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from tests.campaign.outages import Strike
from tests.campaign.plan import Plan
from tests.campaign.traffic import PAUSE, UNAVAILABLE, Tally
from tests.end_to_end.client import TERMINAL, Connorg, Json, Partner

LOOK_EVERY = 2.0  # seconds
# An onboarding that failed several times may wait for ten minutes before it is tried again.
PATIENCE_SECONDS = 20 * 60


@dataclass(frozen=True)
class Evidence:
    plan: Plan
    tally: Tally
    strikes: tuple[Strike, ...]
    opened_twice: frozenset[str]
    onboardings: tuple[Json, ...]
    """As the list has them in the end."""
    by_id: Mapping[str, Json]
    """As their own addresses show those that callers were told of."""
    organizations: tuple[Json, ...]
    calls: tuple[Json, ...]
    """To Graph."""
    seconds: float


@dataclass
class Watcher:
    """Reads onboardings over the public API, however often it is cut off."""

    connorg: Connorg
    opened_twice: set[str] = field(default_factory=set)
    """The domains that were seen with two open onboardings at once."""

    async def watch(self) -> None:
        """Look on for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> list[Json]:
        """List all onboardings."""
        onboardings: list[Json] = []
        page: Json = {"nextLink": "onboardings?top=100"}
        while "nextLink" in page:
            page = await self.read(page["nextLink"])
            onboardings += page["value"]
        is_open = Counter(domain_of(found) for found in onboardings if not is_terminal(found))
        self.opened_twice |= {domain for domain, count in is_open.items() if count > 1}
        return onboardings

    async def ended(self, partners: Iterable[Partner]) -> list[Json]:
        """Wait until each partner has an onboarding and none is open; or for PATIENCE_SECONDS."""
        domains = {partner.domain for partner in partners}
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            onboardings = await self.look()
            closed = {domain_of(found) for found in onboardings if is_terminal(found)}
            over = domains <= closed and all(map(is_terminal, onboardings))
            if over or asyncio.get_running_loop().time() > deadline:
                return onboardings
            await asyncio.sleep(LOOK_EVERY)

    async def read(self, path: str) -> Json:
        while True:
            try:
                answer = await self.connorg.call("GET", path)
            except httpx.TransportError:
                pass
            else:
                if answer.status_code != UNAVAILABLE:
                    return dict(answer.raise_for_status().json())
            await asyncio.sleep(PAUSE)


async def in_graph(connorg: Connorg, name: str) -> tuple[Json, ...]:
    """Return all `organizations`, or all `requests`, that the emulator knows."""
    answer = await connorg.call("GET", f"{connorg.stack.graph}/_emulator/{name}", key=False)
    return tuple(answer.raise_for_status().json())


def domain_of(onboarding: Json) -> str:
    [source] = onboarding["request"]["identitySources"]
    return str(source["domainName"])


def is_terminal(onboarding: Json) -> bool:
    return onboarding["status"] in TERMINAL
