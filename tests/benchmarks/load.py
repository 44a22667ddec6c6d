"""So many creates at once, and what they cost."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True)
class Warm:
    """What a number of creates came to at one concurrency."""

    creates_per_second: float
    cpu_ms: float
    """Of the process that creates, for each create."""
    p50_ms: float
    p99_ms: float


async def load(
    create: Callable[[int], Awaitable[float]],
    cpu_seconds: Callable[[], float],
    numbers: range,
    concurrency: int,
) -> Warm:
    """Create one for each number, `concurrency` at a time. `create` gives the seconds it took."""
    left = iter(numbers)
    seconds: list[float] = []

    async def caller() -> None:
        for number in left:
            seconds.append(await create(number))  # noqa: PERF401  others append meanwhile

    cpu, start = cpu_seconds(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in itertools.repeat(None, concurrency):
            group.create_task(caller())
    elapsed = time.perf_counter() - start
    percentiles = quantiles(seconds, n=100, method="inclusive")
    return Warm(
        creates_per_second=len(numbers) / elapsed,
        cpu_ms=1000 * (cpu_seconds() - cpu) / len(numbers),
        p50_ms=1000 * percentiles[49],
        p99_ms=1000 * percentiles[98],
    )
