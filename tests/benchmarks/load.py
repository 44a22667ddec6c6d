"""So many creates at once, for as long as it takes."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from statistics import quantiles

from tests.benchmarks.host import Host, body


@dataclass(frozen=True)
class Warm:
    """What a number of creates came to at one concurrency."""

    creates_per_second: float
    cpu_ms: float
    """Of the worker's process, for each create."""
    p50_ms: float
    p99_ms: float


async def load(host: Host, creates: int, concurrency: int, run: str) -> Warm:
    """Send the creates, `concurrency` at a time. Raises RuntimeError when one is not a 201."""
    numbers = iter(range(creates))
    seconds: list[float] = []

    async def caller() -> None:
        for number in numbers:
            seconds.append(await host.create(body(number, run)))

    cpu, start = host.cpu_seconds(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in itertools.repeat(None, concurrency):
            group.create_task(caller())
    elapsed = time.perf_counter() - start
    percentiles = quantiles(seconds, n=100, method="inclusive")
    return Warm(
        creates_per_second=creates / elapsed,
        cpu_ms=1000 * (host.cpu_seconds() - cpu) / creates,
        p50_ms=1000 * percentiles[49],
        p99_ms=1000 * percentiles[98],
    )
