"""An Idempotency-Key stands for one body of one caller."""

import pytest

from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.replay import cancel
from connorg.core.onboarding.submit import submit
from connorg.core.services import Services
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import domain_source, request


@pytest.fixture
def services() -> Services:
    return simulated_core()


async def answer(services: Services, name: str, caller: str = "me") -> Submitted | Conflict:
    submitted = await submit(
        services,
        Submission(request(domain_source(f"{name}.com")), "http", caller, "one key"),
        wait=0,
    )
    assert isinstance(submitted, Submitted | Conflict)
    return submitted


async def test_the_same_body_meets_its_own_onboarding(services: Services) -> None:
    one, other = [await answer(services, "contoso") for _ in range(2)]
    assert isinstance(one, Submitted)
    assert isinstance(other, Submitted)
    assert one.onboarding.id == other.onboarding.id
    assert (one.fresh, other.fresh) == (True, False)


async def test_another_body_is_a_conflict_with_the_first(services: Services) -> None:
    one, other = [await answer(services, name) for name in ("contoso", "fabrikam")]
    assert isinstance(one, Submitted)
    assert isinstance(other, Conflict)
    assert (other.reason, other.onboarding_id) == (Reason.KEY_REUSED, one.onboarding.id)


async def test_the_same_key_of_another_caller_is_another_key(services: Services) -> None:
    answers = [await answer(services, name, name) for name in ("contoso", "fabrikam")]
    assert all(isinstance(one, Submitted) and one.fresh for one in answers)


async def test_signed_bytes_begin_nothing_again_under_another_id(services: Services) -> None:
    """Not even once the organization is gone, when the identity source is free again."""

    async def sent(key: str | None, signed: bytes | None, name: str = "Contoso") -> Submitted:
        asked = request(displayName=name)
        submission = Submission(asked, "webhook:jira", "webhook:jira", key, signed=signed)
        answer = await submit(services, submission, wait=0)
        assert isinstance(answer, Submitted)
        return answer

    first = await sent("one", b"event")
    canceled = await cancel(services, first.onboarding.id)
    assert isinstance(canceled, Submitted)
    for key in ("one", "two", "three", None):
        again = await sent(key, b"event")
        assert (again.fresh, again.onboarding.id) == (False, first.onboarding.id)
    assert (await sent("four", b"another event")).fresh, "it was signed anew"
    mended = await services.ledger.holder_of("domain:contoso.com")
    assert mended is not None
    await cancel(services, mended.id)
    assert (await sent("five", b"event", "Corrected")).fresh, "the mapping was corrected"
