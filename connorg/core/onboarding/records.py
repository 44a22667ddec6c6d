"""The record of an onboarding: the onboarding that stands for another, and its message."""

from contextlib import suppress

from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding
from connorg.core.ports import Receipt, StorageUnavailableError
from connorg.core.services import Services


async def delete_safety_message(services: Services, receipt: Receipt) -> None:
    """Take a message back. One that stays does no harm: it finds nothing to do."""
    with suppress(StorageUnavailableError):
        await services.queue.delete(receipt)


async def follow_joined(services: Services, onboarding: Onboarding) -> Onboarding:
    """Give the onboarding that stands for one which was never begun; else the same."""
    if onboarding.joined is None:
        return onboarding
    return await services.ledger.read(onboarding.joined) or onboarding


def message_of(onboarding: Onboarding, replay: str | None = None) -> OnboardingMessage:
    if onboarding.request is None:
        raise AssertionError("an onboarding without a request has nothing left to do")
    return OnboardingMessage(
        onboarding_id=onboarding.id,
        request=onboarding.request,
        channel=onboarding.channel,
        attempt=onboarding.attempts,
        replay=replay,
        batch_row=onboarding.batch_row,
        traceparent=onboarding.traceparent,
    )
