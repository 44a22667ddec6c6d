"""Turns at the gate: rows of batches let others pass, and calls that are late stay apart."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from connorg.contract.onboarding import OnboardingError
from connorg.core.domain.outcomes import Later
from connorg.core.domain.timing import Timing
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.resume import advance
from connorg.core.onboarding.submit import submit
from connorg.core.ports import StorageUnavailableError
from connorg.core.services import Services
from connorg.core.throttle.gate import FIRST_PACE, Gate, GateStore
from connorg.core.throttle.pacer import Pacer, PatientPacer, Spacing, Turn
from connorg.core.throttle.shared_gate import SharedGate
from connorg.core.throttle.throttle import Throttle
from tests.simulation.graph import Graph, SimulatedGateway
from tests.simulation.loop import SimulatedLoop
from tests.simulation.storage import Table, gate_store_on, ledger_on
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import domain_source, request

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ROWS = 300
LATENCY = 0.01


class Time:
    def __init__(self, loop: SimulatedLoop) -> None:
        self.loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())


async def travel[T](_: str, act: Callable[[], T]) -> T:
    await asyncio.sleep(LATENCY)
    return act()


def simulated[T](work: Callable[[Time, GateStore], Awaitable[T]]) -> T:
    loop, table = SimulatedLoop(), Table()
    table.create_table()
    try:
        task: asyncio.Future[Any] = asyncio.ensure_future(
            work(Time(loop), gate_store_on(table, travel)), loop=loop
        )
        loop.run_to_rest(3600)
        return task.result()  # type: ignore[no-any-return]
    finally:
        loop.drop_everything()


@pytest.mark.parametrize("calls", [1, 2])
def test_others_wait_less_than_a_second_while_hundreds_of_rows_do(calls: int) -> None:
    async def longest_wait(clock: Time, store: GateStore) -> float:
        rows, others = (kind(store, clock, calls) for kind in (PatientPacer, Pacer))
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
    async def last_turn(clock: Time, store: GateStore) -> float:
        rows = PatientPacer(store, clock, 1)
        turns = await asyncio.gather(*(rows.turn() for _ in range(ROWS)))
        assert len({turn.at for turn in turns}) == ROWS
        return (max(turn.at for turn in turns) - START).total_seconds()

    assert simulated(last_turn) < ROWS / FIRST_PACE, "the pace grows while rows wait"


def test_a_look_at_the_gate_is_shared_by_those_who_look_at_once() -> None:
    async def readings(clock: Time, store: GateStore) -> int:
        reads = 0

        class Counting:
            async def read(self) -> object:
                nonlocal reads
                reads += 1
                return await store.read()

        counting: Any = Counting()
        shared = SharedGate(counting, clock)
        await asyncio.gather(*(shared.read() for _ in range(20)))
        await asyncio.sleep(1)
        await shared.read()
        return reads

    assert simulated(readings) == 2


def test_a_process_takes_a_turn_for_each_attempt_that_waits_and_no_more() -> None:
    async def turns_given_out(clock: Time, store: GateStore) -> tuple[int, float]:
        pacer = Pacer(store, clock, 2)
        bursts = (1, 1, 3, 1, 20, 1, 1)
        for burst in bursts:
            await asyncio.gather(*(pacer.turn() for _ in range(burst)))
        gate = await store.read()
        assert gate.next_turn is not None
        taken = (gate.next_turn - START).total_seconds() * FIRST_PACE / 2
        return sum(bursts), taken

    attempts, taken = simulated(turns_given_out)
    assert taken == pytest.approx(attempts, abs=0.5)


def test_a_process_without_storage_takes_no_turns_for_those_who_went_away() -> None:
    async def turns_given_out(clock: Time, store: GateStore) -> float:
        class Failing:
            async def change(self, *_: object) -> object:
                await asyncio.sleep(LATENCY)
                raise StorageUnavailableError

        failing: Any = Failing()
        pacer = Pacer(failing, clock, 1)
        await asyncio.gather(*(pacer.turn() for _ in range(9)), return_exceptions=True)
        failing.change = store.change
        await pacer.turn()
        gate = await store.read()
        assert gate.next_turn is not None
        return (gate.next_turn - START).total_seconds() * FIRST_PACE

    assert simulated(turns_given_out) == pytest.approx(1, abs=3)


THROTTLED = OnboardingError(code="GraphThrottled", message="Microsoft Graph asked us to wait.")


def test_whoever_waits_takes_another_turn_where_graph_complains_meanwhile() -> None:
    """The second complaint is about a call of before, so that it closes the gate alone."""

    async def turns(clock: Time, store: GateStore) -> tuple[list[float], float, int]:
        throttle = Throttle(store, clock, Random(1), Timing(), calls=1)

        async def complain(called_at: datetime, seconds: float) -> None:
            answer = Later(THROTTLED, retry_after=seconds, throttled=True)
            await throttle.report(Gate(), answer, called_at)

        waiting = [asyncio.create_task(throttle.turn(None, patient=False)) for _ in range(80)]
        await asyncio.sleep(0.2)
        await complain(first := clock.now(), 1)
        await asyncio.sleep(0.5)
        await complain(first, 3)
        opens = (await store.read()).closed_until
        assert opens is not None
        taken = [turn for turn, _ in await asyncio.gather(*waiting)]  # type: ignore[misc]
        void = sum(turn.at > opens and turn.taken_at <= first for turn in taken)
        seconds = [(turn.at - START).total_seconds() for turn in taken]
        return seconds, (opens - START).total_seconds(), void

    seconds, opens, void = simulated(turns)
    assert void == 0
    assert len(set(seconds)) == 80
    early = [at for at in seconds if at < opens]
    assert max(early) < 0.4, "turns that had come before anybody knew"
    assert max(seconds) > 80 / FIRST_PACE


APART = 0.02


async def calls_of(
    clock: Time, turns: int, *, late: float = 0, others: Sequence[float] = ()
) -> list[float]:
    """Return the times of the calls for turns that begin now, but can't be used before `late`.

    `others`: when calls are made without a turn.
    """
    spacing = Spacing(clock)
    start = clock.now()
    times: list[float] = []

    async def call(number: int) -> None:
        at = start + timedelta(seconds=number * APART)
        await asyncio.sleep(late)
        await spacing.until(Turn(at, taken_at=start, apart=timedelta(seconds=APART)))
        times.append((clock.now() - start).total_seconds())

    async def call_without_turn(at: float) -> None:
        await asyncio.sleep(at)
        spacing.leave_room()

    async with asyncio.TaskGroup() as calls:
        for number in range(turns):
            calls.create_task(call(number))
        for at in others:
            calls.create_task(call_without_turn(at))
    return times


def test_calls_in_time_are_made_at_their_turns() -> None:
    times = simulated(lambda clock, _: calls_of(clock, 100))
    assert times == pytest.approx([number * APART for number in range(100)], abs=0.001)


def test_calls_that_are_late_stay_apart_and_catch_up() -> None:
    times = simulated(lambda clock, _: calls_of(clock, 600, late=0.2))
    assert times[0] == pytest.approx(0.2)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times[1:])]
    assert min(gaps) > 0.97 * APART, "they came at once"
    assert times[-1] == pytest.approx(599 * APART, abs=0.001), "what comes later is late for ever"


class CoarseTime(Time):
    """By it, timers are up to its resolution late."""

    def now(self) -> datetime:
        seconds = (super().now() - START).total_seconds()
        return START + timedelta(seconds=seconds // 0.007 * 0.007)


def test_timers_that_are_a_little_late_do_not_add_up() -> None:
    times = simulated(lambda clock, _: calls_of(CoarseTime(clock.loop), 300))
    assert times[-1] == pytest.approx(299 * APART, abs=0.01)


def test_a_call_without_a_turn_pushes_those_back_that_have_one() -> None:
    times = simulated(lambda clock, _: calls_of(clock, 200, others=[0.505]))
    following = next(time for time in times if time > 0.505)
    assert following - 0.505 > 0.97 * APART
    assert times[-1] == pytest.approx(199 * APART, abs=0.001), "that is caught up with"


def test_a_flood_of_calls_without_turns_leaves_half_of_the_pace_to_turns() -> None:
    flood = [number * APART / 10 for number in range(4000)]
    times = simulated(lambda clock, _: calls_of(clock, 100, others=flood))
    assert times[-1] < 2 * 100 * APART


HANGS = (1.0, 1.4)
"""Between these seconds storage answers nobody."""


def hanging_core(clock: Time, called: Callable[[str], None]) -> Services:
    """Return a core on a storage that hangs once. `called` is told of each call to Graph."""

    async def hang[T](what: str, act: Callable[[], T]) -> T:
        if HANGS[0] <= clock.loop.time() < HANGS[1]:
            await asyncio.sleep(HANGS[1] - clock.loop.time())
        return await travel(what, act)

    async def ask[T](_: str, key: str, act: Callable[[], T], /) -> T:
        called(key)
        return act()

    table = Table()
    table.create_table()
    usual = simulated_core()
    store = gate_store_on(table, hang)
    return replace(
        usual,
        gateway=SimulatedGateway(Graph(clock.now, lambda: 0.0), ask),
        ledger=ledger_on(table, hang),
        throttle=Throttle(store, clock, usual.random, usual.timing, calls=1),
        clock=clock,
        tenant_lookup=False,
    )


def test_calls_that_storage_was_late_for_and_a_single_request_stay_apart() -> None:
    async def calls(clock: Time, _: GateStore) -> list[float]:
        made: list[float] = []
        services = hanging_core(clock, lambda _: made.append(clock.loop.time()))
        partners = (request(domain_source(f"partner-{number}.example")) for number in range(30))
        messages = [message_of(new_onboarding(services, partner, "queue")) for partner in partners]
        async with asyncio.TaskGroup() as work:
            for message in messages:
                work.create_task(advance(services, message, armed=False))
            await asyncio.sleep(0.665)  # between two turns
            single = Submission(request(domain_source("single.example")), "http")
            work.create_task(submit(services, single, wait=1))
        return made

    made = simulated(calls)
    assert len(made) == 31
    assert min(after - before for before, after in itertools.pairwise(made)) > 0.45 / FIRST_PACE
