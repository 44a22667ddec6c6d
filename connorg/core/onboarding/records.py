"""The record of an onboarding: making one, finding the one that covers it, its message."""

from contextlib import suppress
from datetime import datetime, timedelta

from connorg.contract.history import Step
from connorg.contract.identifiers import new_onboarding_id, new_result_key
from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.history import step
from connorg.core.ports import Ledger, Receipt, RetryQueue, StorageUnavailableError
from connorg.core.services import Services
from connorg.telemetry import hooks as telemetry


def new_onboarding(
    services: Services,
    request: OnboardingRequest,
    channel: str,
    by: str | None = None,
    asked: datetime | None = None,
) -> Onboarding:
    """Return the onboarding of a request.

    `by`: who requests it; None: unknown. `asked`: when, which its id tells; None: now.
    """
    now = services.clock.now()
    return Onboarding(
        id=new_onboarding_id(request.natural_key, min(asked or now, now), services.random),
        status=Status.NOT_STARTED,
        channel=channel,
        request=request,
        reference=request.reference,
        created_date_time=now,
        last_action_date_time=now,
        give_up_date_time=now + timedelta(seconds=services.timing.give_up),
        traceparent=telemetry.traceparent(),
        result_key=new_result_key(),
        history=(step(now, Step.ACCEPTED, f"by {channel}", by=by or channel),),
    )


def onboarding_of(services: Services, message: OnboardingMessage) -> Onboarding:
    """Return the onboarding of a message that came before the ledger knew it."""
    onboarding = new_onboarding(services, message.request, message.channel, message.by)
    known = {
        "id": message.onboarding_id,
        "batch_row": message.batch_row,
        "traceparent": message.traceparent or onboarding.traceparent,
    }
    return onboarding.model_copy(update=known)


def message_of(
    onboarding: Onboarding, *, replay: str | None = None, by: str | None = None
) -> OnboardingMessage:
    """Return the message that continues an onboarding. `by`: who requested it."""
    if onboarding.request is None:
        raise AssertionError("an onboarding without a request has nothing left to do")
    return OnboardingMessage(
        onboarding_id=onboarding.id,
        request=onboarding.request,
        channel=onboarding.channel,
        attempt=onboarding.attempts,
        replay=replay,
        by=by,
        batch_row=onboarding.batch_row,
        traceparent=onboarding.traceparent,
    )


async def read_kept(ledger: Ledger, onboarding_id: str) -> Onboarding | None:
    """Return an onboarding as callers may know it; None: there is none, or it was forgotten."""
    held = await ledger.read(onboarding_id)
    return None if held is None or held.is_forgotten else held


async def follow_joined(ledger: Ledger, onboarding: Onboarding) -> Onboarding:
    """Return the onboarding that one which was never begun has joined; else the same."""
    if onboarding.joined is None:
        return onboarding
    return await ledger.read(onboarding.joined) or onboarding


async def put_again(
    services: Services, message: OnboardingMessage, onboarding: Onboarding, delay: float
) -> None:
    """Put the message that continues an onboarding, visible after `delay` seconds."""
    await services.queue.put(message, delay)
    tell_put_back(services, onboarding, delay)


def tell_put_back(services: Services, onboarding: Onboarding, delay: float) -> None:
    """Record that an onboarding is on the queue and hidden there, for some seconds."""
    since = onboarding.give_up_date_time - timedelta(seconds=services.timing.give_up)
    telemetry.put_back(since, services.clock.now() + timedelta(seconds=delay))


async def delete_safety_message(queue: RetryQueue, receipt: Receipt) -> None:
    """Take a message back. One that stays does no harm: it finds nothing to do."""
    with suppress(StorageUnavailableError):
        await queue.delete(receipt)
