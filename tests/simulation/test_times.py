"""When an attempt begins and ends, and what Graph's clock has to do with it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.requests import IfExists
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Submitted
from connorg.core.domain.outcomes import Later, Setback
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.resume import advance
from connorg.core.onboarding.submit import submit
from connorg.core.services import Services
from connorg.core.throttle.gate import GateStore
from connorg.core.throttle.throttle import GraphUnavailableError, Throttle
from tests.simulation.graph import Graph, SimulatedGateway
from tests.simulation.storage import Table, ledger_on
from tests.simulation.test_turns import Time, simulated
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import domain_source, request

LOST = Later(
    OnboardingError(code="GraphConnectionLost", message="The connection broke."), ambiguous=True
)
MARGIN = 10.0  # seconds of a lease that are left when an attempt must have ended


def core(clock: Time, store: GateStore, gateway: Any, late: float = 0) -> Services:
    """Return a core on a ledger that is `late` seconds late with each write."""
    usual = simulated_core()
    table = Table()
    table.create_table()

    async def travel[T](what: str, act: Callable[[], T]) -> T:
        await asyncio.sleep(late if "get" not in what else 0)
        return act()

    return replace(
        usual,
        clock=clock,
        gateway=gateway,
        ledger=ledger_on(table, travel),
        throttle=Throttle(store, clock, usual.random, usual.timing, calls=1),
        tenant_lookup=False,
    )


class HangingGateway:
    """Graph never answers."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        """Whoever called gave up."""

    async def create(self, _: object) -> Setback:
        try:
            await asyncio.sleep(1000)
        finally:
            self.ended.set()
        return LOST


@pytest.mark.parametrize("late", [0, 8, 15])
def test_an_attempt_ends_well_before_its_lease_however_late_it_began(late: float) -> None:
    async def lease_left(clock: Time, store: GateStore) -> float:
        gateway = HangingGateway()
        services = core(clock, store, gateway, late)
        asked = Submission(request(domain_source(), ifExists=IfExists.FAIL), "http")
        answer = asyncio.create_task(submit(services, asked, wait=100))
        await gateway.ended.wait()
        answer.cancel()
        return services.timing.lease - clock.loop.time()  # it asked for the lease at once

    assert simulated(lease_left) == pytest.approx(MARGIN, abs=0.2)


def test_a_single_question_has_the_time_of_an_attempt() -> None:
    async def asked(clock: Time, store: GateStore) -> float:
        services = core(clock, store, HangingGateway())
        with pytest.raises(GraphUnavailableError) as raised:
            await services.throttle.ask(lambda: services.gateway.create(request(domain_source())))
        assert raised.value.error.code == "GraphTimeout"
        return clock.loop.time()

    assert simulated(asked) == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("minutes", [-4, -2, 0, 2, 4])
@pytest.mark.parametrize("if_exists", list(IfExists))
def test_what_it_created_itself_is_known_by_graphs_clock_that_is_wrong(
    minutes: int, if_exists: IfExists
) -> None:
    """Its answer was lost, and the next attempt finds the organization."""

    async def concluded(clock: Time, store: GateStore) -> Onboarding:
        graph = Graph(clock.now, lambda: 0.0)
        graph.clock_ahead = timedelta(minutes=minutes)

        async def lose_the_create[T](what: str, _: str, act: Callable[[], T], /) -> T | Setback:
            done = act()
            return LOST if what == "create" else done

        services = core(clock, store, SimulatedGateway(graph, lose_the_create))
        asked = Submission(request(domain_source(), ifExists=if_exists), "http")
        answer = await submit(services, asked, wait=100)
        assert isinstance(answer, Submitted)
        assert answer.onboarding.status is Status.WAITING
        await asyncio.sleep(60)
        onboarding, delay = await advance(services, message_of(answer.onboarding), armed=True)
        assert delay is None
        return onboarding

    held = simulated(concluded)
    assert (held.status, held.conclusion) == (Status.SUCCEEDED, Conclusion.CREATED)


async def not_begun(services: Services) -> Onboarding:
    return new_onboarding(services, request(domain_source()), "queue")


async def waiting(services: Services) -> Onboarding:
    opened = await not_begun(services)
    due = services.clock.now() + timedelta(minutes=10)
    return lifecycle.move(opened, Status.WAITING, services.clock.now(), next_attempt_date_time=due)


async def running(services: Services) -> Onboarding:
    return lifecycle.begin(await not_begun(services), services.clock.now(), services.timing)


async def exhausted(services: Services) -> Onboarding:
    late = services.clock.now() - timedelta(seconds=1)
    return (await not_begun(services)).model_copy(update={"give_up_date_time": late})


async def exhausted_while_running(services: Services) -> Onboarding:
    late = services.clock.now() - timedelta(seconds=1)
    return (await running(services)).model_copy(update={"give_up_date_time": late})


@pytest.mark.parametrize(
    ("state", "status", "delay"),
    [
        (not_begun, Status.SUCCEEDED, None),
        (waiting, Status.WAITING, 600),
        (running, Status.RUNNING, 30),
        (exhausted, Status.FAILED, None),
        (exhausted_while_running, Status.RUNNING, 30),
    ],
)
def test_an_onboarding_goes_on_when_it_is_due_and_no_longer_than_its_time(
    state: Callable[[Services], Awaitable[Onboarding]], status: Status, delay: float | None
) -> None:
    async def advanced(clock: Time, store: GateStore) -> tuple[Onboarding, float | None]:
        graph = Graph(clock.now, lambda: 0.0)

        async def ask[T](_: str, _key: str, act: Callable[[], T], /) -> T:
            return act()

        services = core(clock, store, SimulatedGateway(graph, ask))
        held = await services.ledger.record(await state(services))
        onboarding, again = await advance(services, message_of(held), armed=True)
        called = bool(graph.commits)
        assert called == (status is Status.SUCCEEDED)
        return onboarding, again

    onboarding, again = simulated(advanced)
    assert onboarding.status is status
    assert again == (delay and pytest.approx(delay, abs=0.1))
    if status is Status.FAILED:
        assert onboarding.last_error is not None
        assert onboarding.last_error.code == "GaveUp"
