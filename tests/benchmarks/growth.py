"""What each operation of the ledger costs as it grows.

python -m tests.benchmarks.growth [SIZE …]: for each number of onboardings a table is laid and each
operation is carried out in a process of its own. Prints a table in Markdown.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableClient

from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import new_batch_id, new_onboarding_id
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain import lifecycle
from connorg.core.domain.timing import Timing
from connorg.core.ports import OnboardingFilter
from connorg.storage.batches import AzureBatches
from connorg.storage.entities import claim_entity, onboarding_entity
from connorg.storage.ledger import AzureLedger
from infra.local.child import ROOT, tethered
from tests.benchmarks.host import body, memory_of
from tests.stack import Stack

_SIZES = (1_000, 10_000, 100_000)
_NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_APART = timedelta(minutes=5)  # a year of 100,000
_OLDEST = timedelta(days=365)
_IN_A_PARTITION = 20  # onboardings of a partner, so that a table is laid in few transactions
_AT_ONCE = 8
_PAGE = 50
_DUE = 200  # onboardings that are to be purged
_LARGEST_BATCH = 5_000
_FAILED = OnboardingFilter(status=Status.FAILED)
_EVERYTHING = OnboardingFilter()


@dataclass
class Cost:
    calls: int = 0
    in_a_row: int = 0
    """Answers of the service that came one after the other."""
    bytes: int = 0
    """Of bodies, to and from storage."""
    cpu_ms: float = 0
    ms: float = 0
    uss_mb: float = 0
    """Of the process, after it."""


class Meter:
    """Counts the calls of a session."""

    def __init__(self) -> None:
        self.cost = Cost()
        self._under_way = 0

    def tracing(self) -> aiohttp.TraceConfig:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._started)
        trace.on_request_end.append(self._ended)
        trace.on_request_exception.append(self._ended)
        trace.on_request_chunk_sent.append(self._moved)
        trace.on_response_chunk_received.append(self._moved)
        return trace

    async def _started(self, *_: object) -> None:
        self.cost.calls += 1
        self.cost.in_a_row += self._under_way == 0
        self._under_way += 1

    async def _ended(self, *_: object) -> None:
        self._under_way -= 1

    async def _moved(self, _session: object, _context: object, moved: Any) -> None:
        self.cost.bytes += len(moved.chunk)


def _request(number: int) -> OnboardingRequest:
    return OnboardingRequest.model_validate(body(number, "growth"))


def onboarding(number: int, partners: int) -> Onboarding:
    """Return one for a partner; the newest has number 0, and one in ten failed."""
    request = _request(number % partners)
    at = _NOW - _APART * number
    new = Onboarding(
        id=new_onboarding_id(request.natural_key, at, Random(number)),
        status=Status.NOT_STARTED,
        channel="http",
        request=request,
        reference=f"T{number}",
        created_date_time=at,
        last_action_date_time=at,
        give_up_date_time=at + timedelta(days=1),
    )
    begun = lifecycle.begin(new, at, Timing())
    if number % 10 == 0:
        error = OnboardingError(code=f"Code{number % 7}", message="A reason, as long as one is.")
        return lifecycle.fail(begun, error, at)
    result = ConnectedOrganization(
        id=f"organization{number}", created_date_time=at, **request.attributes
    )
    done = {"conclusion": Conclusion.CREATED, "result": result}
    return lifecycle.move(begun, Status.SUCCEEDED, at, **done)


def _batch(size: int) -> tuple[Batch, list[BatchRow]]:
    batch = Batch(id=new_batch_id(_NOW, Random(size)), created_date_time=_NOW)
    done = {"batch_id": batch.id, "status": RowStatus.SUCCEEDED}
    numbers = range(1, min(size, _LARGEST_BATCH) + 1)
    return batch, [BatchRow(number=n, name=f"p{n}.example", **done) for n in numbers]


def _partners(size: int) -> int:
    return size // _IN_A_PARTITION


async def _lay(table: TableClient, size: int) -> None:
    await table.create_table()
    at_once = asyncio.Semaphore(_AT_ONCE)
    partners = _partners(size)

    async def write(numbers: range) -> None:
        async with at_once:
            held = [onboarding(number, partners) for number in numbers]
            rows = [claim_entity(held[0]), *map(onboarding_entity, held)]
            await table.submit_transaction([("create", row) for row in rows])

    await asyncio.gather(*(write(range(partner, size, partners)) for partner in range(partners)))


def _operations(
    ledger: AzureLedger, batches: AzureBatches, size: int
) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """Return each operation with what it is called in the table."""
    middle = onboarding(size // 2, _partners(size))
    newcomer = onboarding(size, size + 1).model_copy(
        update={"status": Status.NOT_STARTED, "result": None, "conclusion": None}
    )
    oldest = _NOW - _APART * (size - _DUE)
    batch, rows = _batch(size)

    async def list_page(which: OnboardingFilter, after: Onboarding | None = None) -> None:
        continuation = after.id.partition("-")[2] if after else None
        page = await ledger.list(which, _PAGE, continuation)
        assert page.onboardings, which

    async def create() -> None:
        begun = await ledger.open(lifecycle.begin(newcomer, _NOW, Timing()))
        assert isinstance(begun, Onboarding)
        await ledger.save(lifecycle.move(begun, Status.SUCCEEDED, _NOW))

    async def count() -> None:
        counts = Counter([(one.status, one.code) async for one in ledger.outline(_EVERYTHING)])
        assert counts.total() >= size

    async def purge(before: datetime, expected: int) -> None:
        assert sum([purged async for purged in ledger.purge(before)]) == expected

    async def progress() -> None:
        assert len(await batches.outline(batch.id)) == len(rows)

    yield "a first call, which connects", lambda: ledger.read(middle.id)
    yield "read one", lambda: ledger.read(middle.id)
    yield "a create: open and close", create
    yield f"list the newest {_PAGE}", lambda: list_page(_EVERYTHING)
    yield f"list {_PAGE} from the middle on", lambda: list_page(_EVERYTHING, middle)
    yield f"list the newest {_PAGE} that failed", lambda: list_page(_FAILED)
    yield (
        "list what one ticket asked for",
        lambda: list_page(OnboardingFilter(reference=middle.reference)),
    )
    yield "who made this organization", lambda: ledger.of_organization("organization7")
    yield "count by status and code", count
    yield "purge: nothing is due", lambda: purge(_NOW - _OLDEST * 3, 0)
    yield f"purge: {_DUE} are due", lambda: purge(oldest, _DUE - 1)
    yield "progress of a batch of as many, 5,000 at the most", progress


async def _measure(connection: str, name: str, size: int) -> None:
    meter = Meter()
    session = aiohttp.ClientSession(trace_configs=[meter.tracing()])
    found: dict[str, Any] = {}
    async with (
        session,
        _client(connection, name, session) as table,
        _client(connection, f"{name}batches", session) as batches_table,
    ):
        for title, operation in _operations(AzureLedger(table), AzureBatches(batches_table), size):
            meter.cost = cost = Cost()
            cpu, start = time.process_time(), time.perf_counter()
            await operation()
            cost.cpu_ms = 1000 * (time.process_time() - cpu)
            cost.ms = 1000 * (time.perf_counter() - start)
            cost.uss_mb = memory_of(os.getpid())["uss"]
            found[title] = asdict(cost)
    print(json.dumps(found))  # noqa: T201


def _client(connection: str, name: str, session: aiohttp.ClientSession) -> TableClient:
    transport = AioHttpTransport(session=session, session_owner=False, use_env_settings=False)
    return TableClient.from_connection_string(connection, name, transport=transport)


def measure(sizes: tuple[int, ...]) -> dict[int, Any]:
    """Return what each operation costs at each size."""
    found = {}
    for size in sizes:
        with Stack(only=("storage",)) as stack:  # each its own: Azurite keeps all in memory
            name = f"growth{size}"
            asyncio.run(_laid(stack.storage, name, size))
            command = [sys.executable, "-m", "tests.benchmarks.growth", "--measure"]
            done = subprocess.run(
                tethered([*command, stack.storage, name, str(size)]),
                cwd=ROOT,
                check=True,
                stdout=subprocess.PIPE,
            )
            found[size] = json.loads(done.stdout.splitlines()[-1])
    return found


async def _laid(connection: str, name: str, size: int) -> None:
    async with TableClient.from_connection_string(connection, name) as table:
        await _lay(table, size)
    async with TableClient.from_connection_string(connection, f"{name}batches") as table:
        await AzureBatches(table).write(*_batch(size))


def markdown(found: Mapping[int, Any]) -> str:
    sizes = " | ".join(f"{size:,}" for size in found)
    head = [f"| | {sizes} |", f"|---|{'---|' * len(found)}"]
    rows = [
        f"| {title} | {' | '.join(_cell(Cost(**costs[title])) for costs in found.values())} |"
        for title in next(iter(found.values()))
    ]
    return "\n".join([*head, *rows])


def _cell(cost: Cost) -> str:
    size = f"{cost.bytes / 1000:,.0f} KB" if cost.bytes >= 1000 else f"{cost.bytes} B"
    calls = f"{cost.calls}" + (f" ({cost.in_a_row})" if cost.in_a_row < cost.calls else "")
    return f"{calls}, {size}, {cost.cpu_ms:,.0f} ms, {cost.uss_mb:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=_SIZES)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        connection, name, size = chosen.measure
        asyncio.run(_measure(connection, name, int(size)))
        return
    print(markdown(measure(tuple(chosen.sizes))))  # noqa: T201
    print(f"\nLoad average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")  # noqa: T201


if __name__ == "__main__":
    main()
