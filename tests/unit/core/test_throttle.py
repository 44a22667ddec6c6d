"""What Graph's answers mean for everybody's calls, and when those come back who must wait."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from connorg.contract.onboarding import OnboardingError
from connorg.core.domain.outcomes import Blocked, Later, Refused
from connorg.core.services import Services
from connorg.core.throttle.gate import FIRST_PACE, Gate
from connorg.core.throttle.throttle import GraphUnavailableError
from tests.unit.core.services_under_test import NOW, Clock, simulated_core

ERROR = OnboardingError(code="GraphThrottled", message="Microsoft Graph asked us to wait.")
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(clock: Clock) -> Services:
    return simulated_core(clock)


async def reported(services: Services, answer: object) -> Gate:
    await services.throttle.report(await services.throttle.gate(), answer, services.clock.now())
    return await services.throttle.gate()


@pytest.mark.parametrize(
    ("retry_after", "pause"), [(42.0, 42), (0.0, 0), (None, 5)], ids=["told", "at once", "untold"]
)
async def test_a_complaint_closes_the_gate_and_drops_the_pace(
    services: Services, retry_after: float | None, pause: float
) -> None:
    gate = await reported(services, Later(ERROR, retry_after=retry_after, throttled=True))
    assert gate.closed_until == NOW + pause * SECOND
    assert gate.pace < FIRST_PACE
    assert gate.blocked is None


@pytest.mark.parametrize(
    "answer",
    [Later(ERROR), Later(ERROR, retry_after=42, ambiguous=True), Refused(ERROR), "an organization"],
    ids=["later", "busy", "refused", "done"],
)
async def test_what_is_no_complaint_leaves_the_gate_as_it_is(
    services: Services, answer: object
) -> None:
    assert await reported(services, answer) == Gate()


async def test_a_missing_right_closes_the_gate_until_somebody_succeeds(
    services: Services, clock: Clock
) -> None:
    gate = await reported(services, Blocked(ERROR))
    assert gate.closed_until == NOW + services.timing.blocked_retry * SECOND
    assert gate.blocked == ERROR
    clock.moment = gate.closed_until
    for neither in (Later(ERROR), Refused(ERROR)):
        assert (await reported(services, neither)).blocked == ERROR
    assert (await reported(services, "an organization")).blocked is None


def closed(seconds: float) -> Gate:
    return Gate().closed(NOW + seconds * SECOND)


async def comes_back(services: Services, gate: Gate) -> float:
    taken = await services.throttle.turn(None, gate, patient=False)
    assert isinstance(taken, float)
    return taken


async def submits(services: Services, gate: Gate) -> float:
    moment = services.throttle.reopening(gate)
    assert moment is not None
    return (moment - NOW).total_seconds()


@pytest.mark.parametrize("who", [comes_back, submits])
async def test_those_who_met_a_closed_gate_come_back_spread_over_five_seconds(
    services: Services, who: Callable[[Services, Gate], Awaitable[float]]
) -> None:
    seconds = [await who(services, closed(30)) for _ in range(500)]
    assert min(seconds) >= 30
    assert max(seconds) <= 35
    for second in range(30, 35):
        part = sum(second <= one < second + 1 for one in seconds)
        assert 50 < part < 150, "a fifth of them in each second"


async def test_who_is_due_later_comes_when_it_is_due(services: Services) -> None:
    for gate in (Gate(), closed(30)):
        due = NOW + timedelta(minutes=10)
        assert await services.throttle.turn(due, gate, patient=False) == 600


async def test_who_is_due_now_gets_a_turn_at_an_open_gate(services: Services) -> None:
    taken = await services.throttle.turn(NOW, None, patient=False)
    assert isinstance(taken, tuple)
    turn, gate = taken
    assert turn.at == NOW
    assert turn.apart == 2 * gate.apart, "it is for two calls"


async def ask(services: Services, answer: Later | Blocked | Refused | str) -> object:
    async def call() -> Later | Blocked | Refused | str:
        return answer

    return await services.throttle.ask(call)


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (Later(ERROR, retry_after=42, throttled=True), 42),
        (Later(ERROR), 5),
        (Blocked(ERROR), 30),
    ],
    ids=["throttled", "later", "blocked"],
)
async def test_a_single_question_is_heard_by_all_and_keeps_to_what_they_heard(
    services: Services, answer: Later | Blocked, retry_after: float
) -> None:
    with pytest.raises(GraphUnavailableError) as raised:
        await ask(services, answer)
    assert raised.value.retry_after == retry_after
    if answer == Later(ERROR):
        assert await ask(services, "an answer") == "an answer"
        return
    with pytest.raises(GraphUnavailableError) as raised:
        await ask(services, "never asked")
    assert raised.value.retry_after == retry_after


async def test_tenants_are_left_alone_for_a_while_after_that_was_refused(
    services: Services,
) -> None:
    await services.throttle.report_lookups_denied()
    gate = await services.throttle.gate()
    until = NOW + services.timing.lookup_retry * SECOND
    assert gate.denies_lookups(until - SECOND)
    assert not gate.denies_lookups(until)
    assert not gate.is_closed(NOW)
