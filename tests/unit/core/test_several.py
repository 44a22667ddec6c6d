"""Several onboardings replayed or canceled by one call: those that match, and no others."""

import pytest

from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict, Submitted
from connorg.core.onboarding.records import new_onboarding
from connorg.core.onboarding.several import Outcomes, cancel_several, replay_several
from connorg.core.ports import OnboardingFilter
from connorg.core.services import Services
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import domain_source, request

EVERYTHING = OnboardingFilter()
CODES = ("GraphUnavailable", "RefusedByGraph", "RefusedByGraph")


@pytest.fixture
def services() -> Services:
    return simulated_core()


async def laid(services: Services, name: str) -> Onboarding:
    onboarding = new_onboarding(services, request(domain_source(f"{name}.example")), "queue")
    opened = await services.ledger.open(onboarding)
    assert isinstance(opened, Onboarding)
    return opened


async def failed(services: Services, name: str, code: str) -> Onboarding:
    error = OnboardingError(code=code, message="It failed.")
    opened = await laid(services, name)
    return await services.ledger.save(lifecycle.fail(opened, error, services.clock.now()))


async def statuses(services: Services) -> list[Status]:
    page = await services.ledger.list(EVERYTHING, 100, None)
    return sorted(one.status for one in page.onboardings)


def changed(outcomes: Outcomes) -> set[str]:
    return {one.id for one in outcomes.each if isinstance(one.result, Submitted)}


async def test_those_that_match_are_replayed_and_no_others(services: Services) -> None:
    lost = [await failed(services, f"p{i}", code) for i, code in enumerate(CODES)]
    await laid(services, "waiting")
    done = await replay_several(
        services, OnboardingFilter(code="RefusedByGraph"), 500, dry_run=False
    )
    assert changed(done) == {lost[1].id, lost[2].id}
    assert len(done.each) == 2
    assert await statuses(services) == ["Failed", "NotStarted", "NotStarted", "NotStarted"]


async def test_those_that_wait_are_canceled_and_no_others(services: Services) -> None:
    waiting = await laid(services, "waiting")
    await failed(services, "failed", CODES[0])
    done = await cancel_several(services, EVERYTHING, 500, dry_run=False, by="key")
    assert changed(done) == {waiting.id}
    assert await statuses(services) == ["Canceled", "Failed"]
    kept = await services.ledger.read(waiting.id)
    assert kept is not None
    assert kept.history[-1].by == "key"


async def test_a_dry_run_says_the_same_and_changes_nothing(services: Services) -> None:
    await failed(services, "failed", CODES[0])
    await laid(services, "waiting")
    for act in (replay_several, cancel_several):
        dry = await act(services, EVERYTHING, 500, dry_run=True)
        assert len(changed(dry)) == 1
    assert await statuses(services) == ["Failed", "NotStarted"]


async def test_a_call_takes_so_many_and_says_that_there_are_more(services: Services) -> None:
    for i in range(3):
        await failed(services, f"p{i}", CODES[0])
    first = await replay_several(services, EVERYTHING, 2, dry_run=False)
    assert (len(changed(first)), first.more) == (2, True)
    last = await replay_several(services, EVERYTHING, 2, dry_run=False)
    assert (len(changed(last)), last.more) == (1, False)


async def test_ids_are_taken_as_they_are_named(services: Services) -> None:
    lost, waiting = await failed(services, "failed", CODES[0]), await laid(services, "waiting")
    nobody = "0" * 24 + "-" + "0" * 32
    done = await replay_several(
        services, (lost.id, waiting.id, nobody, lost.id), 500, dry_run=False
    )
    assert [one.id for one in done.each] == [lost.id, waiting.id, nobody]
    assert changed(done) == {lost.id}
    assert isinstance(done.each[1].result, Conflict)
    assert done.each[2].onboarding is None


async def test_a_status_that_can_t_be_replayed_matches_none(services: Services) -> None:
    await laid(services, "waiting")
    done = await replay_several(
        services, OnboardingFilter(status=Status.NOT_STARTED), 500, dry_run=False
    )
    assert done.each == ()
