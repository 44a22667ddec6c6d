"""What is refused is kept as one failed onboarding, whoever writes it down, however often."""

import pytest

from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.core.domain.claims import Conflict
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import message_of
from connorg.core.onboarding.reject import record_failed_once, unreadable
from connorg.core.onboarding.resume import resume
from connorg.core.onboarding.submit import submit
from connorg.core.ports import OnboardingFilter
from connorg.core.services import Services
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import request

ERROR = OnboardingError(code="InvalidValues", message="It is wrong.")


@pytest.fixture
def services() -> Services:
    return simulated_core()


async def failed(services: Services) -> tuple[Onboarding, ...]:
    return (
        await services.ledger.list(OnboardingFilter(status=Status.FAILED), 100, None)
    ).onboardings


async def refused(services: Services) -> Conflict:
    """Ask for other attributes than another request; its message was in the queue meanwhile."""
    await submit(services, Submission(request(), "http"), wait=0)
    conflict = await submit(
        services, Submission(request(displayName="Other"), "webhook:jira"), wait=0
    )
    assert isinstance(conflict, Conflict)
    return conflict


@pytest.mark.parametrize("queue_first", [True, False])
async def test_a_conflict_that_the_queue_meets_too_is_kept_once(
    services: Services, *, queue_first: bool
) -> None:
    conflict = await refused(services)
    newcomer = conflict.newcomer
    assert newcomer is not None
    steps = [
        lambda: resume(services, message_of(newcomer)),
        lambda: record_failed_once(services, newcomer, conflict.error, "delivery"),
    ]
    for step in steps if queue_first else reversed(steps):
        await step()
    [kept] = await failed(services)
    assert kept.id == newcomer.id
    assert kept.channel == "webhook:jira"
    assert kept.last_error is not None
    assert kept.last_error.code == "IdentitySourceInUse"


async def test_a_delivery_is_kept_once_and_another_by_itself(services: Services) -> None:
    for delivery in ("one", "one", "other"):
        onboarding = unreadable(services, "webhook:jira", "text", "T-1")
        await record_failed_once(services, onboarding, ERROR, delivery)
    assert [kept.reference for kept in await failed(services)] == ["T-1", "T-1"]


async def test_two_sources_and_two_faults_are_kept_apart(services: Services) -> None:
    for source, code in (("webhook:a", "A"), ("webhook:b", "A"), ("webhook:b", "B")):
        error = ERROR.model_copy(update={"code": code})
        await record_failed_once(services, unreadable(services, source, "text"), error, "one")
    assert len(await failed(services)) == 3


async def test_what_nobody_can_read_is_not_kept_letter_by_letter(services: Services) -> None:
    """A row's JSON has room for 32 thousand characters, and a control character takes six."""
    text = "\x01\x7f\u202e line\r\n\t ☃" * 10_000
    kept = await record_failed_once(
        services, unreadable(services, "webhook:jira", text), ERROR, "one"
    )
    assert kept.message_text is not None
    assert kept.message_text.startswith("\ufffd\ufffd\ufffd line\r\n\t ☃")
    assert len(kept.model_dump_json().encode("utf-16-le")) < 64 * 1024
