"""Counts of onboardings: what came in, what became of it, what waits and why."""

from datetime import timedelta

import pytest

from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Later
from connorg.core.onboarding.records import new_onboarding
from connorg.core.ports import OnboardingFilter
from connorg.core.services import Services
from connorg.core.summary import summarize
from tests.unit.core.services_under_test import NOW, Clock, simulated_core
from tests.unit.partners import domain_source, request

EVERYTHING = OnboardingFilter()
THROTTLED = OnboardingError(code="GraphThrottled", message="Slow down.")
REFUSED = OnboardingError(code="RefusedByGraph", message="No.", action="Correct it.")
POLICY = OnboardingError(code="RefusedByPolicy", message="Denied.", action="Ask for it.")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(clock: Clock) -> Services:
    return simulated_core(clock)


async def failed(services: Services, number: int, error: OnboardingError) -> Onboarding:
    asked = request(domain_source(f"partner{number}.example"))
    onboarding = new_onboarding(services, asked, "queue")
    return await services.ledger.record(lifecycle.fail(onboarding, error, services.clock.now()))


async def test_an_empty_ledger_has_none_of_anything(services: Services) -> None:
    summary = await summarize(services, EVERYTHING)
    assert summary.total == 0
    assert set(summary.by_status.values()) == {0}
    assert set(summary.by_status) == set(Status)
    assert (summary.by_code, summary.by_channel, summary.by_hour) == ((), {}, ())
    assert summary.gate.open


async def test_causes_are_counted_with_their_advice_and_newest_example(
    services: Services, clock: Clock
) -> None:
    for number in range(3):
        clock.moment = NOW + timedelta(minutes=number)
        newest = await failed(services, number, REFUSED)
    other = await failed(services, 9, POLICY)
    summary = await summarize(services, EVERYTHING)
    assert [(one.code, one.count, one.action, one.example) for one in summary.by_code] == [
        ("RefusedByGraph", 3, "Correct it.", newest.id),
        ("RefusedByPolicy", 1, "Ask for it.", other.id),
    ]
    assert summary.by_status["Failed"] == summary.total == 4
    assert summary.by_channel == {"queue": 4}


async def test_hours_are_those_in_which_it_was_accepted(services: Services, clock: Clock) -> None:
    for number, hours in enumerate((0, 0, 2)):
        clock.moment = NOW + timedelta(hours=hours)
        await failed(services, number, REFUSED)
    told = (await summarize(services, EVERYTHING)).by_hour
    assert [(f"{one.hour:%H:%M}", one.accepted, one.succeeded, one.failed) for one in told] == [
        ("09:00", 2, 0, 2),
        ("11:00", 1, 0, 1),
    ]


async def test_a_filter_holds_for_all_counts(services: Services) -> None:
    await failed(services, 1, REFUSED)
    await failed(services, 2, POLICY)
    summary = await summarize(services, OnboardingFilter(code=POLICY.code))
    assert summary.total == 1
    assert [one.code for one in summary.by_code] == [POLICY.code]


async def test_the_gate_says_why_all_wait(services: Services, clock: Clock) -> None:
    gate = await services.throttle.gate()
    await services.throttle.report(gate, Later(THROTTLED, retry_after=60, throttled=True), NOW)
    told = (await summarize(services, EVERYTHING)).gate
    assert (told.open, told.until) == (False, NOW + timedelta(seconds=60))
    assert told.reason
    clock.moment = NOW + timedelta(minutes=2)
    assert (await summarize(services, EVERYTHING)).gate.open
