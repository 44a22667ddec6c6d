"""A shared read is as true as a read of one's own: it begins after whoever asked."""

import asyncio

import pytest

from connorg.shared_read import SharedRead


class Row:
    """A row that changes; each read of it waits for its turn."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.turn = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        value = self.value
        await self.turn.wait()
        return value


async def test_who_asks_together_shares_one_read() -> None:
    row = Row()
    row.turn.set()
    read = SharedRead(row.read)
    assert await asyncio.gather(*(read() for _ in range(16))) == [0] * 16
    assert row.reads == 1


async def test_nobody_gets_what_was_read_before_they_asked() -> None:
    row = Row()
    read = SharedRead(row.read)
    early = asyncio.ensure_future(read())
    while row.reads == 0:
        await asyncio.sleep(0)
    row.value = 1  # after the first read, before the others ask
    late = [asyncio.ensure_future(read()) for _ in range(3)]
    row.turn.set()
    assert await early == 0
    assert await asyncio.gather(*late) == [1, 1, 1]
    assert row.reads == 2


async def test_a_failure_reaches_all_who_share_it_and_nobody_after() -> None:
    row = Row()
    row.turn.set()

    async def fail_once() -> int:
        if await row.read() == 0:
            row.value = 1
            raise ConnectionError
        return 1

    read = SharedRead(fail_once)
    for failure in await asyncio.gather(read(), read(), return_exceptions=True):
        assert isinstance(failure, ConnectionError)
    assert await read() == 1


async def test_one_who_gives_up_leaves_the_read_to_the_others() -> None:
    row = Row()
    read = SharedRead(row.read)
    impatient, patient = asyncio.ensure_future(read()), asyncio.ensure_future(read())
    while row.reads == 0:
        await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    row.turn.set()
    assert await patient == 0
