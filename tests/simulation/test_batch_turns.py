"""Rows of batches take turns at the gate so that others need not stand behind them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connorg.gate import FIRST_PACE
from connorg.pacing import Pacer, PatientPacer
from connorg.ports import Ledger
from tests.simulation.loop import SimulatedLoop
from tests.simulation.storage import Table, ledger_on

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ROWS = 300
LATENCY = 0.01


class Time:
    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time())


async def travel[T](_: str, act: Callable[[], T]) -> T:
    await asyncio.sleep(LATENCY)
    return act()


def simulated[T](work: Callable[[Time, Ledger], Awaitable[T]]) -> T:
    loop, table = SimulatedLoop(), Table()
    table.create_table()
    try:
        task: asyncio.Future[Any] = asyncio.ensure_future(
            work(Time(loop), ledger_on(table, travel)), loop=loop
        )
        loop.run_to_rest(3600)
        return task.result()  # type: ignore[no-any-return]
    finally:
        loop.drop_everything()


@pytest.mark.parametrize("calls", [1, 2])
def test_others_wait_less_than_a_second_while_hundreds_of_rows_do(calls: int) -> None:
    async def longest_wait(clock: Time, ledger: Ledger) -> float:
        rows, others = (kind(ledger, clock, calls) for kind in (PatientPacer, Pacer))
        waiting = [asyncio.ensure_future(rows.turn()) for _ in range(ROWS)]
        waits = []
        for _ in range(10):
            await asyncio.sleep(0.57)
            turn = await others.turn()
            waits.append((turn.at - clock.now()).total_seconds())
        assert not all(row.done() for row in waiting), "nobody waited"
        await asyncio.gather(*waiting)
        return max(waits)

    assert simulated(longest_wait) < 1


def test_rows_alone_take_every_turn_that_the_pace_gives() -> None:
    async def last_turn(clock: Time, ledger: Ledger) -> float:
        rows = PatientPacer(ledger, clock, 1)
        turns = await asyncio.gather(*(rows.turn() for _ in range(ROWS)))
        assert len({turn.at for turn in turns}) == ROWS
        return (max(turn.at for turn in turns) - START).total_seconds()

    assert simulated(last_turn) < ROWS / FIRST_PACE, "the pace grows while rows wait"


def test_a_look_at_the_gate_is_shared_by_those_who_look_at_once() -> None:
    async def readings(clock: Time, ledger: Ledger) -> int:
        reads = 0

        class Counting:
            async def gate(self) -> object:
                nonlocal reads
                reads += 1
                return await ledger.gate()

        counting: Any = Counting()
        rows = PatientPacer(counting, clock, 1)
        await asyncio.gather(*(rows.gate() for _ in range(20)))
        await asyncio.sleep(1)
        await rows.gate()
        return reads

    assert simulated(readings) == 2
