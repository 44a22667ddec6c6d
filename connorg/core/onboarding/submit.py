"""Submit: accept a request, and try at once while the caller waits.

Why nothing accepted is lost: a message that brings the onboarding back is on the queue before the
ledger knows the onboarding, and it goes only after the ledger has closed it.

    put the message ─► open the ledger ─► Graph ─► close the ledger ─► answer
        │                                                             └─► delete the message
        └ a crash anywhere from here on: the message comes back, and the queue trigger continues
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.versions import NewerVersionError
from connorg.core.callbacks import subscribe
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict, Submitted, join
from connorg.core.domain.timing import seconds_until
from connorg.core.onboarding.attempt import attempt_and_conclude
from connorg.core.onboarding.confirm import is_gone, is_in_question
from connorg.core.onboarding.idempotency import Submission, bind_key
from connorg.core.onboarding.records import (
    delete_safety_message,
    follow_joined,
    message_of,
    new_onboarding,
    tell_put_back,
)
from connorg.core.policy.rules import Refusal
from connorg.core.ports import ClaimHeld, Receipt, StorageUnavailableError
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate
from connorg.core.throttle.throttle import GraphUnavailableError
from connorg.telemetry import hooks as telemetry
from connorg.telemetry.unexpected import UnexpectedError

_log = logging.getLogger(__name__)

_CONFIRMED_WITHIN = 5.0  # seconds; the caller waits, and a sender of webhooks not for long
_ANSWERED_AS_FAULTS = frozenset({Status.FAILED, Status.CANCELED})
_SAFETY_MARGIN = 5.0  # seconds that a message stays hidden beyond the caller's wait

# What outlives the wait of its caller; the event loop itself keeps only weak references.
_background: set[asyncio.Task[Any]] = set()


async def submit(
    services: Services, submission: Submission, wait: float
) -> Submitted | Conflict | Refusal:
    """Onboard one organization and wait up to `wait` seconds for it; 0: only accept it.

    Raise StorageUnavailableError: the request may be sent again.
    """
    with telemetry.onboard(submission.traceparent):
        result = await _submit(services, submission, wait)
        # A request that is answered at once that it failed gets no callback.
        if isinstance(result, Submitted) and result.onboarding.status not in _ANSWERED_AS_FAULTS:
            await subscribe(services, submission.request, result.onboarding)
        return result


async def _submit(
    services: Services, submission: Submission, wait: float
) -> Submitted | Conflict | Refusal:
    refusal = services.policy.early_refusal(submission.request, submission.channel)
    if refusal is not None:
        return refusal
    onboarding = new_onboarding(services, submission.request, submission.channel, submission.by)
    bound = await bind_key(services.ledger, submission, onboarding)
    if not isinstance(bound, Onboarding):
        return bound
    onboarding = bound
    telemetry.set_onboarding(onboarding.id)
    with telemetry.arm():
        message = message_of(onboarding, by=submission.by)
        gate, receipt = await _put_safety_message(services, message, wait)
    opening = _opening(services, onboarding, gate, at_once=wait > 0)
    try:
        with telemetry.opening():
            opened = await services.ledger.open(opening)
            if isinstance(opened, ClaimHeld) and await _has_nothing_left(services, opened.holder):
                gate = await services.throttle.gate()
                # What Graph does not find may yet be there: it is looked up before the create.
                onboarding = lifecycle.doubt(onboarding, services.clock.now())
                opening = _opening(services, onboarding, gate, at_once=wait > 0)
                opened = await services.ledger.open(opening)
    except NewerVersionError:  # nothing was written, so nothing is left to do
        await delete_safety_message(services.queue, receipt)
        raise
    if isinstance(opened, ClaimHeld):
        if opened.holder.id != onboarding.id:
            # The holder has a message of its own; ours would find nothing to do.
            _delete_meanwhile(services, receipt)
        joined = join(await follow_joined(services.ledger, opened.holder), onboarding)
        return replace(joined, newcomer=onboarding) if isinstance(joined, Conflict) else joined
    telemetry.accepted()
    if opened.status is Status.RUNNING:
        opened = await _finish_within(services, wait, opened, gate, receipt)
    elif opened.status is Status.WAITING:
        await _come_back_when_due(services, opened, receipt)
    return Submitted(opened, fresh=True)


async def _has_nothing_left(services: Services, holder: Onboarding) -> bool:
    """Whether the holder's organization is gone. False if Graph can't be asked now."""
    now = services.clock.now()
    if not is_in_question(holder, now, now, services.timing):
        return False
    with suppress(GraphUnavailableError, TimeoutError):
        async with asyncio.timeout(_CONFIRMED_WITHIN):
            return await is_gone(services, holder)
    return False


async def _put_safety_message(
    services: Services, message: OnboardingMessage, wait: float
) -> tuple[Gate, Receipt]:
    delay = wait + _SAFETY_MARGIN if wait > 0 else 0
    gate, receipt = await asyncio.gather(
        services.throttle.gate(),
        services.queue.put(message, delay),
        return_exceptions=True,
    )
    if isinstance(receipt, BaseException):
        raise receipt
    if isinstance(gate, BaseException):
        await delete_safety_message(services.queue, receipt)
        raise gate
    return gate, receipt


def _opening(
    services: Services, onboarding: Onboarding, gate: Gate, *, at_once: bool
) -> Onboarding:
    now = services.clock.now()
    next_attempt = services.throttle.reopening(gate)
    if next_attempt is not None:
        return lifecycle.hold(onboarding, next_attempt, now)
    return lifecycle.begin(onboarding, now, services.timing) if at_once else onboarding


async def _finish_within(
    services: Services, wait: float, opened: Onboarding, gate: Gate, receipt: Receipt
) -> Onboarding:
    """Attempt, and answer after `wait` seconds in any case; the attempt continues."""
    task = asyncio.create_task(_attempt_and_settle(services, opened, gate, receipt))
    _background.add(task)
    task.add_done_callback(_end_of_background)
    await asyncio.wait({task}, timeout=wait)
    if not task.done() or task.exception() is not None:
        return opened  # it is in the ledger and on the queue: accepted, whatever comes
    return task.result()


async def _attempt_and_settle(
    services: Services, begun: Onboarding, gate: Gate, receipt: Receipt
) -> Onboarding:
    services.throttle.leave_room()
    concluded = await attempt_and_conclude(services, begun, gate)
    if concluded.status.terminal:
        _delete_meanwhile(services, receipt)
    else:
        await _come_back_when_due(services, concluded, receipt)
    return concluded


def _delete_meanwhile(services: Services, receipt: Receipt) -> None:
    """Delete the message while the answer is on its way: one that stays finds nothing to do."""
    task = asyncio.create_task(delete_safety_message(services.queue, receipt))
    _background.add(task)
    task.add_done_callback(_background.discard)


async def _come_back_when_due(services: Services, waiting: Onboarding, receipt: Receipt) -> None:
    # Where the queue can't be reached, the message comes back as it was armed.
    with suppress(StorageUnavailableError):
        delay = seconds_until(waiting.due, services.clock.now())
        await services.queue.move(receipt, message_of(waiting), delay)
        tell_put_back(services, waiting, delay)


def _end_of_background(task: asyncio.Task[Onboarding]) -> None:
    _background.discard(task)
    if not task.cancelled() and (error := task.exception()):
        told = UnexpectedError(error)
        _log.error("an attempt stays unconcluded, its message will resume it", exc_info=told)
