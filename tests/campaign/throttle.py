"""Measure the throttle gate: many queued onboardings, a Graph that takes few calls a second.

python -m tests.campaign.throttle --onboardings 500 --limit 20

Two functions processes share the work. Exit code 1 when more than MOST_REFUSED of the calls are
answered 429, or less than LEAST_USED of what Graph would have taken is used.
"""

import argparse
import asyncio
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.campaign.evidence import PATIENCE_SECONDS, in_graph
from tests.campaign.plan import LATENCY_SECONDS, QUEUE, Sending
from tests.campaign.traffic import Traffic
from tests.end_to_end.client import Connorg, Json, Partner
from tests.stack import Stack, blob_port, port_of

MOST_REFUSED = 0.02
LEAST_USED = 0.85
REFUSED = 429

console = Console(highlight=False)


@dataclass(frozen=True)
class Measurement:
    limit: int
    """Calls per second that Graph takes."""
    calls: Sequence[Json]

    @property
    def seconds(self) -> float:
        """From the first call until the last that was taken."""
        return float(max(call["time"] for call in self._taken)) - self._first

    @property
    def refused(self) -> float:
        """The share of the calls that were answered 429."""
        return 1 - len(self._taken) / len(self.calls)

    @property
    def used(self) -> float:
        """The share of the calls that Graph would have taken meanwhile."""
        return len(self._taken) / (self.limit * self.seconds)

    @property
    def is_good(self) -> bool:
        return self.refused <= MOST_REFUSED and self.used >= LEAST_USED

    def by_second(self) -> list[tuple[int, int]]:
        """How many calls were taken and refused in each second."""
        counts = Counter(
            (int(call["time"] - self._first), call["status"] == REFUSED) for call in self.calls
        )
        return [
            (counts[second, False], counts[second, True])
            for second in range(math.ceil(self.seconds))
        ]

    @property
    def _first(self) -> float:
        return float(min(call["time"] for call in self.calls))

    @property
    def _taken(self) -> list[Json]:
        return [call for call in self.calls if call["status"] != REFUSED]


async def measure(onboardings: int, limit: int, *, lookups: bool) -> Measurement:
    settings = {"CONNORG_TENANT_LOOKUP": str(lookups)}
    with Stack(settings=settings) as stack:
        ports = {
            "graph": port_of(stack.graph),
            "identity": port_of(stack.identity),
            "storage": blob_port(stack.storage),
        }
        with Stack(only=["functions"], settings=settings, ports=ports):
            async with Connorg(stack) as connorg, Traffic.ready(connorg) as traffic:
                return await _measure(traffic, onboardings, limit)


async def _measure(traffic: Traffic, onboardings: int, limit: int) -> Measurement:
    connorg = traffic.connorg
    throttle = {"requests": limit, "seconds": 1}
    await connorg.graph.configure(throttle=throttle, latencySeconds=LATENCY_SECONDS)
    partners = [Partner(f"partner-{number}.example") for number in range(onboardings)]
    await traffic.send(Sending(partner, QUEUE, at=0) for partner in partners)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await _created(connorg, onboardings)
    return Measurement(limit, await in_graph(connorg, "requests"))


async def _created(connorg: Connorg, organizations: int) -> None:
    """Wait until Graph has so many. Asking connorg itself would disturb it."""
    while True:
        if len(await in_graph(connorg, "organizations")) >= organizations:
            return
        await asyncio.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.throttle")
    parser.add_argument("--onboardings", type=int, default=500)
    parser.add_argument("--limit", type=int, default=20, help="calls per second")
    parser.add_argument("--lookups", action="store_true", help="look each partner's tenant up too")
    arguments = parser.parse_args()
    console.print(
        f"{arguments.onboardings} onboardings on the queue, two functions processes, and a Graph"
        f" that takes {arguments.limit} calls a second …"
    )
    measurement = asyncio.run(
        measure(arguments.onboardings, arguments.limit, lookups=arguments.lookups)
    )
    console.print(_table(measurement))
    console.print(
        f"\n{len(measurement.calls)} calls in {measurement.seconds:.1f} s:"
        f" {measurement.refused:.1%} answered 429 (at most {MOST_REFUSED:.0%}),"
        f" {measurement.used:.1%} of the limit used (at least {LEAST_USED:.0%})."
    )
    return 0 if measurement.is_good else 1


def _table(measurement: Measurement) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Second", "Taken", "429", "Of the limit"):
        table.add_column(column, justify="right")
    for second, (taken, refused) in enumerate(measurement.by_second()):
        table.add_row(
            str(second), str(taken), str(refused or ""), f"{taken / measurement.limit:.0%}"
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
