"""Messages that somebody else puts on the queue: a request each."""

from datetime import datetime

from connorg.contract import channels
from connorg.contract.effects import Effect
from connorg.contract.messages import ProducerMessage
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.requests import OnboardingRequest
from connorg.core.callbacks import subscribe
from connorg.core.domain.claims import Conflict, Submitted
from connorg.core.onboarding.confirm import UnconfirmedError
from connorg.core.onboarding.idempotency import Submission, bind_key
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.reject import record_failed, unreadable
from connorg.core.onboarding.resume import POISONED, bury, onboarding_behind, resume
from connorg.core.policy.ways_in import effects_of
from connorg.core.services import Services
from connorg.telemetry import hooks as telemetry
from connorg.telemetry.audit import NOBODY, Change, audit

_ACCEPTED, _REFUSED = 202, 422  # as HTTP answers


async def receive(
    services: Services, message: ProducerMessage, asked: datetime | None = None
) -> float | None:
    """Onboard what somebody else put on the queue. `asked`: when; None: nobody knows.

    Return the seconds after which the same message must be put again; None: it is dealt with.
    Raise StorageUnavailableError: the message must come again.
    """
    request = message.onboarding_request
    with telemetry.onboard():
        # Before it could take the identity source over from an onboarding that connected it.
        refusal = services.policy.early_refusal(request, channels.QUEUE)
        if refusal is not None:
            refused = new_onboarding(services, request, channels.QUEUE, asked=asked)
            _audit(await record_failed(services, refused, refusal.error), request)
            return None
        onboarding = await _bound(services, message, asked)
        _audit(onboarding, request)
        if request.callback_url is not None:
            try:
                onboarding = await _opened(services, onboarding)
            except UnconfirmedError as error:
                return error.delay  # the message alone holds the address to call back
            await subscribe(services, request, onboarding)
        if not onboarding.status.terminal:
            await resume(services, message_of(onboarding), armed=False)
        return None


def _audit(onboarding: Onboarding, request: OnboardingRequest) -> None:
    """Leave the line that a request over HTTP leaves with its answer."""
    error = onboarding.last_error if onboarding.status is Status.FAILED else None
    connects = Effect.CONNECT in effects_of(request)
    change = Change(
        Effect.CONNECT if connects else Effect.PROPOSE,
        subject=onboarding.id,
        by=channels.QUEUE,
        channel=channels.QUEUE,
        role=NOBODY,
        status=_REFUSED if error else _ACCEPTED,
        code=error.code if error else "",
    )
    audit(change)


async def _bound(
    services: Services, message: ProducerMessage, asked: datetime | None
) -> Onboarding:
    """Return the onboarding of a producer's message: of its key, or a failed or new one."""
    request = message.onboarding_request
    onboarding = new_onboarding(services, request, channels.QUEUE, asked=asked)
    if message.idempotency_key is None:
        return onboarding
    submission = Submission(request, channels.QUEUE, channels.QUEUE, message.idempotency_key)
    bound = await bind_key(services.ledger, submission, onboarding)
    if isinstance(bound, Conflict):
        return await record_failed(services, onboarding, bound.error)
    return bound.onboarding if isinstance(bound, Submitted) else bound


async def _opened(services: Services, onboarding: Onboarding) -> Onboarding:
    """Return the onboarding that the ledger has for it, by which a callback can be subscribed."""
    held = await services.ledger.read(onboarding.id)
    return await onboarding_behind(services, message_of(onboarding), held, armed=False)


async def bury_producers(
    services: Services, message: ProducerMessage, asked: datetime | None = None
) -> None:
    """Close the onboarding of a producer's message that the Functions host gave up.

    Raise SupersededError: the message must come again.
    """
    request = message.onboarding_request
    with telemetry.onboard():
        onboarding = new_onboarding(services, request, channels.QUEUE, asked=asked)
        refusal = services.policy.early_refusal(request, channels.QUEUE)
        if refusal is not None:
            await record_failed(services, onboarding, POISONED)
            return
        if request.callback_url is not None:
            onboarding = await _opened(services, onboarding)
            await subscribe(services, request, onboarding)
        if not onboarding.status.terminal:
            await bury(services, message_of(onboarding), armed=False)


async def record_unreadable(services: Services, text: str, error: OnboardingError) -> None:
    """Keep a message that can't be understood, as a failed onboarding."""
    await record_failed(services, unreadable(services, channels.QUEUE, text), error)
