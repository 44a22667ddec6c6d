"""Call back: send how an onboarding ended to the requested address, once.

    subscribe ──► a message of its own ──► is the onboarding terminal?
                        ▲                    ├─ no: again when it is due
                        │                    └─ yes ──► note ──► POST ──► note
                        └──── with backoff, for a day ◄──────────┘ failed

A callback belongs to a request, not to its onboarding: several requests may share one. Its message
is on the queue before the request is answered. The note keeps two messages for one address from
being sent both; only a process that dies between the POST and the note lets it be sent again, under
the same webhook-id.
"""

import json
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from connorg import standard_webhooks
from connorg.contract.callbacks import CallbackRecord
from connorg.contract.messages import CallbackMessage
from connorg.contract.onboarding import Onboarding
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.timing import seconds_until
from connorg.core.ports import Ledger, SupersededError
from connorg.core.redelivery import put_again_in_outage
from connorg.core.services import Services
from connorg.telemetry import hooks as telemetry

_log = logging.getLogger(__name__)

_SHORTEST_LOOK, _LONGEST_LOOK = 2.0, 60.0  # seconds between two looks at an onboarding
_LEASE = 30.0  # seconds; longer than a delivery may take
_GONE = 410


async def subscribe(services: Services, request: OnboardingRequest, onboarding: Onboarding) -> None:
    """Have the request's callback made when the onboarding has ended.

    Raise StorageUnavailableError.
    """
    if request.callback_url is None:
        return
    message = CallbackMessage(
        onboarding_id=onboarding.id,
        callback_url=request.callback_url,
        asked_date_time=services.clock.now(),
    )
    delay = 0 if onboarding.status.terminal else _until_next_look(services, message, onboarding)
    await services.callbacks.queue.put(message, delay)


async def call_back(services: Services, message: CallbackMessage) -> None:
    """Deliver a callback, or put its message again.

    Raise StorageUnavailableError when neither ledger nor queue can be reached.
    """
    async with put_again_in_outage(services.callbacks.queue, message):
        await _call_back(services, message)


async def bury_callback(ledger: Ledger, message: CallbackMessage) -> None:
    """End a callback whose message the Functions host gave up."""
    note = await ledger.callback(message.onboarding_id, message.name)
    if note.ended is None:
        _log.error("%s of onboarding %s was poisoned", message.name, message.onboarding_id)
        await ledger.record_callback(note.model_copy(update={"ended": "poisoned"}))


async def _call_back(services: Services, message: CallbackMessage) -> None:
    onboarding = await services.ledger.read(message.onboarding_id)
    if onboarding is None or onboarding.is_forgotten:
        _log.error("%s is for an onboarding that is not stored any more", message.name)
        return
    if not onboarding.status.terminal:
        await services.callbacks.queue.put(message, _until_next_look(services, message, onboarding))
        return
    note = await services.ledger.callback(onboarding.id, message.name)
    if note.ended is not None:
        return
    if (pause := seconds_until(note.due, services.clock.now())) > 0:
        await services.callbacks.queue.put(message, pause)
        return
    due = services.clock.now() + timedelta(seconds=_LEASE)
    try:
        note = await services.ledger.record_callback(note.model_copy(update={"due": due}))
    except SupersededError:
        await services.callbacks.queue.put(message, _LEASE)
        return
    with telemetry.callback(onboarding) as tell:
        answer = await _deliver(services, message, onboarding)
        tell(answer)
    await _conclude(services, message, onboarding, note, answer)


async def _deliver(
    services: Services, message: CallbackMessage, onboarding: Onboarding
) -> int | str:
    """Return the status that was answered; or, where there is none, why."""
    if services.policy.callback_refusal(message.callback_url) is not None:
        return "the policy refuses the address"
    text = json.dumps(onboarding.view(), ensure_ascii=False, separators=(",", ":"))
    body = text.encode()
    timestamp = str(int(services.clock.now().timestamp()))
    signatures = (
        standard_webhooks.signature(key, message.name, timestamp, body)
        for key in services.callbacks.keys
    )
    headers = {
        "content-type": "application/json",
        "webhook-id": message.name,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
    return await services.callbacks.receiver.post(message.callback_url, headers, body)


async def _conclude(
    services: Services,
    message: CallbackMessage,
    onboarding: Onboarding,
    note: CallbackRecord,
    answer: int | str,
) -> None:
    ended = _ended(answer)
    failed = message.model_copy(update={"failures": message.failures + 1})
    delay = services.timing.callback_backoff(failed.failures, services.random)
    if ended is None and delay > seconds_until(
        _last(services, message, onboarding), services.clock.now()
    ):
        ended = "given up"
    outcome = ended or "again later"
    _log.info("%s of onboarding %s: %s, %s", message.name, onboarding.id, answer, outcome)
    due = services.clock.now() + timedelta(seconds=delay)
    if ended is None:
        await services.callbacks.queue.put(failed, delay)
    with suppress(SupersededError):  # the lease was too short, and somebody else is at it
        await services.ledger.record_callback(note.model_copy(update={"due": due, "ended": ended}))


def _ended(answer: int | str) -> str | None:
    if isinstance(answer, int) and 200 <= answer < 300:  # noqa: PLR2004  2xx
        return "delivered"
    return "stopped" if answer == _GONE else None


def _last(services: Services, message: CallbackMessage, onboarding: Onboarding) -> datetime:
    """Return until when it is tried. It may have been asked for long after the end."""
    since = max(onboarding.last_action_date_time, message.asked_date_time)
    return since + timedelta(seconds=services.timing.callback_give_up)


def _until_next_look(services: Services, message: CallbackMessage, onboarding: Onboarding) -> float:
    """A little after it is due; and the longer it lasts, the less a while more matters."""
    lasts = (services.clock.now() - message.asked_date_time).total_seconds()
    pause = max(_SHORTEST_LOOK + seconds_until(onboarding.due, services.clock.now()), lasts / 10)
    return min(_LONGEST_LOOK, pause)
