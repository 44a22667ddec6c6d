"""Scans of the ledger, on the simulated table and on Azurite's, in answers of a few rows.

100,000 rows are 100 answers of the service. So 300 rows in answers of three are read here, and
counted is how many answers come one after the other.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any, Self

import pytest

from connorg.contract.identifiers import split_id
from connorg.contract.onboarding import Conclusion, Onboarding, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.core.domain import lifecycle
from connorg.core.ports import KeyReservation, OnboardingFilter
from connorg.storage.entities import onboarding_entity
from connorg.storage.ledger import AzureLedger
from tests.contract.conftest import LONG
from tests.contract.test_ledger import ERROR, EVERYTHING, NOW, listed, onboarding
from tests.simulation.storage import SimulatedTableClient, Table, by_turns

MOST_IN_A_ROW = 10
PAGE, ROWS = 3, 300
STATUSES = (Status.SUCCEEDED, Status.FAILED, Status.WAITING, Status.CANCELED)


class Watched:
    """A table of which is known how many answers came one after the other, and of how many rows."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._under_way = 0
        self.in_a_row = 0
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def take(self) -> tuple[int, int]:
        """Return the answers in a row and the rows so far, and begin anew."""
        taken = self.in_a_row, self.rows
        self.in_a_row = self.rows = 0
        return taken

    async def get_entity(self, *key: str, **options: Any) -> Any:
        return await self.watch(self._table.get_entity(*key, **options))

    def query_entities(self, *asked: Any, **options: Any) -> Any:
        return _Found(self, self._table.query_entities(*asked, **options))

    async def watch[T](self, call: Awaitable[T]) -> T:
        # Whoever asks while another waits does not make it longer.
        self.in_a_row += self._under_way == 0
        self._under_way += 1
        try:
            return await call
        finally:
            self._under_way -= 1


class _Found:
    def __init__(self, watched: Watched, found: Any) -> None:
        self._watched = watched
        self._found = found

    def by_page(self) -> "_Pages":
        return _Pages(self._watched, self._found.by_page())

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for page in self.by_page():
            async for row in page:
                yield row


class _Pages:
    def __init__(self, watched: Watched, pages: Any) -> None:
        self._watched = watched
        self._pages = pages
        self._is_first = True

    @property
    def continuation_token(self) -> Any:
        return self._pages.continuation_token

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncIterator[Any]:
        if not self._is_first and self.continuation_token is None:
            raise StopAsyncIteration
        self._is_first = False
        page = await self._watched.watch(anext(self._pages))
        rows = [row async for row in page]
        self._watched.rows += len(rows)

        async def again() -> AsyncIterator[Any]:
            for row in rows:
                yield row

        return again()


def ended(number: int, domain: str | None = None) -> Onboarding:
    """An onboarding that ended, or waits; each with an error that tells which it is."""
    status = STATUSES[number % len(STATUSES)]
    newcomer = onboarding(domain, at=NOW - timedelta(minutes=number), reference=f"T{number}")
    if status is Status.SUCCEEDED:
        running = lifecycle.move(newcomer, Status.RUNNING, NOW)
        result = ConnectedOrganization(id=f"organization{number % 3}", display_name="Contoso")
        done = {"conclusion": Conclusion.CREATED, "result": result}
        return lifecycle.move(running, status, NOW, **done)
    error = ERROR.model_copy(update={"code": f"{status}Code"})
    return lifecycle.move(newcomer, status, NOW, last_error=error)


async def lay(table: Any, held: list[Onboarding]) -> None:
    await table.create_table()
    for one in held:
        await table.create_entity(onboarding_entity(one))


@pytest.fixture
def watched(any_table: Any) -> Watched:
    return Watched(any_table)


@LONG
async def test_no_scan_of_a_hundred_answers_takes_more_than_ten_in_a_row(watched: Watched) -> None:
    held = [ended(number) for number in range(ROWS)]
    await lay(watched, held)
    client: Any = watched
    ledger = AzureLedger(client, PAGE)
    by_status = Counter(one.status for one in held)
    newest = [one.id for one in held]

    async def list_some(which: OnboardingFilter, count: int, after: str | None = None) -> list[str]:
        page = await ledger.list(which, count, after)
        return [one.id for one in page.onboardings]

    async def counts() -> Counter[Status]:
        return Counter([one.status async for one in ledger.outline(EVERYTHING)])

    async def purge() -> int:
        return sum([count async for count in ledger.purge(NOW - timedelta(days=900))])

    failed = OnboardingFilter(status=Status.FAILED)
    after = split_id(newest[99])[1]
    operations: dict[str, tuple[Callable[[], Awaitable[object]], object]] = {
        "list the newest": (lambda: list_some(EVERYTHING, 20), newest[:20]),
        "list the failed": (lambda: list_some(failed, 20), newest[1::4][:20]),
        "go on with a list": (lambda: list_some(EVERYTHING, 20, after), newest[100:120]),
        "list what a ticket asked for": (
            lambda: list_some(OnboardingFilter(reference="T7"), 20),
            [newest[7]],
        ),
        "count": (counts, by_status),
        "look for what is to be purged": (purge, 0),
    }
    watched.take()
    for name, (operation, expected) in operations.items():
        assert await operation() == expected, name
        in_a_row, _ = watched.take()
        assert 0 < in_a_row <= MOST_IN_A_ROW, name


@LONG
async def test_all_rows_are_found_however_few_an_answer_holds(any_table: Any) -> None:
    # Some in one partition, so that answers end amid it.
    domains = [f"partner{number % 5}.example" for number in range(30)]
    held = [ended(number, domain) for number, domain in enumerate(domains)]
    await lay(any_table, held)
    for page in (1, 2, 4, 29, 30, 31):
        ledger = AzureLedger(any_table, page)
        assert await listed(ledger, limit=7) == [one.id for one in held], page
        outlines = [one.id async for one in ledger.outline(EVERYTHING)]
        assert sorted(outlines) == sorted(one.id for one in held), page
        of = await ledger.of_organization("organization0")
        expected = {one.id for one in held if one.result and one.result.id == "organization0"}
        assert {one.id for one in of} == expected, page


async def test_keys_are_purged_however_few_an_answer_holds(any_table: Any) -> None:
    for number in range(12):
        gone = onboarding(at=NOW - timedelta(days=400))
        ledger = AzureLedger(any_table, page=2)
        await ledger.reserve_key("caller", f"key{number}", KeyReservation("body", gone.id))
    async for _ in ledger.purge(NOW):
        pass
    left = any_table.query_entities("RowKey gt @all", parameters={"all": " "})
    assert [row async for row in left] == []


async def test_an_outline_tells_what_is_counted(any_table: Any) -> None:
    held = [ended(number) for number in range(8)]
    await lay(any_table, held)
    found = {one.id: one async for one in AzureLedger(any_table).outline(EVERYTHING)}
    for one in held:
        outline = found.pop(one.id)
        code = one.last_error.code if one.last_error else None
        assert (outline.status, outline.channel, outline.code) == (one.status, "http", code)
    assert not found
    waiting = OnboardingFilter(status=Status.WAITING)
    codes = [one.code async for one in AzureLedger(any_table).outline(waiting)]
    assert codes == ["WaitingCode"] * 2


async def test_the_code_of_an_older_row_is_read_out_of_the_onboarding(any_table: Any) -> None:
    held = [ended(number) for number in range(80)]
    await any_table.create_table()
    for one in held:
        row = onboarding_entity(one)
        del row["Code"]
        await any_table.create_entity(row)
    codes = Counter([one.code async for one in AzureLedger(any_table).outline(EVERYTHING)])
    assert codes == {None: 20, "FailedCode": 20, "WaitingCode": 20, "CanceledCode": 20}


# on the simulated table alone, which holds thousands


def table_of(held: list[Onboarding]) -> Watched:
    table = Table()
    table.create_table()
    for one in held:
        table.create(onboarding_entity(one))
    return Watched(SimulatedTableClient(table, by_turns))


def spread(rows: int, place: Callable[[int], float]) -> list[Onboarding]:
    """Newest first; `place`: where in the space of hashes each lies, from 0 to 1."""
    made = onboarding()
    random = Random(1)
    return [
        made.model_copy(
            update={
                "id": f"{int(place(number) * 16**12):012x}{random.getrandbits(48):012x}"
                f"-{number:012x}{random.getrandbits(80):020x}"
            }
        )
        for number in range(rows)
    ]


async def test_a_list_reads_no_more_rows_as_the_ledger_grows() -> None:
    chance = Random(2)
    read = {}
    for rows in (2_500, 10_000):
        client: Any = table_of(held := spread(rows, lambda _: chance.random()))
        page = await AzureLedger(client, page=100).list(EVERYTHING, 10, None)
        assert [one.id for one in page.onboardings] == [one.id for one in held[:10]]
        in_a_row, read[rows] = client.take()
        assert in_a_row <= 4
    assert max(read.values()) < 800


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda number: number / 1000, id="the newest come first"),
        pytest.param(lambda number: 1 - (number + 1) / 1000, id="the oldest come first"),
        pytest.param(lambda number: 0.999 if number < 500 else 0.001, id="two heaps"),
    ],
)
@pytest.mark.parametrize("limit", [1, 7, 50, 300])
async def test_a_list_is_right_though_partitions_are_not_spread_as_hashes_are(
    place: Callable[[int], float], limit: int
) -> None:
    held = spread(1000, place)
    client: Any = table_of(held)
    page = await AzureLedger(client, page=40).list(EVERYTHING, limit, None)
    assert [one.id for one in page.onboardings] == [one.id for one in held[:limit]]
