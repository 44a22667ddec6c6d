"""One reading of the gate for all in a process who ask at once, and what it may not hide."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from connorg.core.ports import StorageUnavailableError
from connorg.core.throttle.gate import Gate
from connorg.core.throttle.shared_gate import MOMENT, SharedGate
from tests.unit.core.services_under_test import NOW, Clock

OPEN, CLOSED = Gate(), Gate(closed_until=NOW + timedelta(minutes=1))
LITTLE = timedelta(milliseconds=1)


class Store:
    """Answers a reading when it is told to."""

    def __init__(self) -> None:
        self.readings: list[asyncio.Future[Gate]] = []
        self.written = OPEN

    async def read(self) -> Gate:
        self.readings.append(asyncio.get_running_loop().create_future())
        return await self.readings[-1]

    async def change(self, change: Callable[[Gate], Gate]) -> Gate:
        self.written = change(self.written)
        return self.written


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def shared(store: Store, clock: Clock) -> SharedGate:
    return SharedGate(store, clock)


async def asking(shared: SharedGate) -> asyncio.Task[Gate]:
    """Ask, and go as far as that goes without an answer."""
    task = asyncio.create_task(shared.read())
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_one_reading_serves_all_who_ask_within_a_moment(
    shared: SharedGate, store: Store, clock: Clock
) -> None:
    first = await asking(shared)
    clock.moment += MOMENT
    second = await asking(shared)
    store.readings[0].set_result(CLOSED)
    third = await asking(shared)
    assert len(store.readings) == 1
    assert [*await asyncio.gather(first, second, third)] == [CLOSED] * 3


async def test_who_asks_later_has_it_read_again(
    shared: SharedGate, store: Store, clock: Clock
) -> None:
    first = await asking(shared)
    store.readings[0].set_result(OPEN)
    assert await first == OPEN
    clock.moment += MOMENT + LITTLE
    second = await asking(shared)
    store.readings[1].set_result(CLOSED)
    assert await second == CLOSED


async def test_nobody_waits_for_a_reading_that_began_too_long_ago(
    shared: SharedGate, store: Store, clock: Clock
) -> None:
    slow = await asking(shared)
    clock.moment += MOMENT + LITTLE
    others = [await asking(shared) for _ in range(3)]
    assert len(store.readings) == 2
    store.readings[1].set_result(CLOSED)
    assert await asyncio.gather(*others) == [CLOSED] * 3
    assert not slow.done()


async def test_an_older_reading_that_comes_later_hides_nothing(
    shared: SharedGate, store: Store, clock: Clock
) -> None:
    slow = await asking(shared)
    clock.moment += MOMENT + LITTLE
    quick = await asking(shared)
    store.readings[1].set_result(CLOSED)
    await quick
    store.readings[0].set_result(OPEN)
    assert await slow == CLOSED
    assert await (await asking(shared)) == CLOSED
    assert len(store.readings) == 2


async def test_what_the_process_itself_wrote_it_knows_at_once(
    shared: SharedGate, store: Store, clock: Clock
) -> None:
    first = await asking(shared)
    store.readings[0].set_result(OPEN)
    await first
    clock.moment += LITTLE
    await shared.change(lambda _: CLOSED)
    assert await shared.read() == CLOSED


async def test_who_shares_a_reading_that_fails_fails_with_it_and_the_next_reads_again(
    shared: SharedGate, store: Store, clock: Clock
) -> None:
    both = [await asking(shared), await asking(shared)]
    store.readings[0].set_exception(StorageUnavailableError("no answer"))
    for task in both:
        with pytest.raises(StorageUnavailableError):
            await task
    assert len(store.readings) == 1
    clock.moment += MOMENT + LITTLE
    again = await asking(shared)
    store.readings[1].set_result(OPEN)
    assert await again == OPEN


async def test_who_gives_up_waiting_takes_nothing_from_others(
    shared: SharedGate, store: Store
) -> None:
    first, second = await asking(shared), await asking(shared)
    first.cancel()
    await asyncio.sleep(0)
    store.readings[0].set_result(CLOSED)
    assert await second == CLOSED
