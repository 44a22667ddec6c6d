"""A delivery of a webhook: from its proof to the answer.

    proof ──► what does it ask for? ──► submit, without a wait ──► 202, or 200 if it is done
      │          ├─ nothing                                         204
      │          └─ what can't be done                              422, and kept as failed
      └─ none                                                       401

Senders repeat what they get 408, 409, 425, 429 or 5xx for, and give a webhook up at a 410. So none
of these says that a request can't be done; 503 says that it could not be kept.
"""

import asyncio
import hashlib
import logging

import azure.functions as func

from connorg.contract import channels
from connorg.contract.faults import Fault
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.problems import ErrorCode, ProblemError, ProblemKind
from connorg.core.domain.claims import Conflict, Submitted, seen_by
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import new_onboarding
from connorg.core.onboarding.reject import record_failed_once, unreadable
from connorg.core.onboarding.submit import submit
from connorg.core.policy.rules import Refusal
from connorg.core.policy.ways_in import effects_of
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.answers import done, ended_problem, onboarding_answer, step_of
from connorg.functions.http.callers import note_effects
from connorg.functions.http.headers import traceparent_of
from connorg.settings import ConfigurationError
from connorg.webhooks.mapping import Accepted, Ignored, Invalid, read
from connorg.webhooks.proof import Delivery, ProofError
from connorg.webhooks.senders import Sender
from connorg.wiring import services, webhook_senders

_log = logging.getLogger(__name__)

_LARGEST_EVENT = 1024 * 1024  # bytes; tickets come whole, with all their fields


async def answer(req: func.HttpRequest) -> func.HttpResponse:
    name = str(req.route_params.get("source", "")).lower()
    delivery = Delivery({key.lower(): value for key, value in req.headers.items()}, _body_of(req))
    sender = _proven(name, delivery)
    # In a thread: a large event takes a while to map, and others have their requests answered.
    match await asyncio.to_thread(read, sender, delivery):
        case Ignored():
            _note(name, "passed over")
            return func.HttpResponse(status_code=204)
        case Invalid() as refused:
            raise await _refused(req, name, delivery, refused)
        case Accepted() as wanted:
            return await _submit(req, name, delivery, wanted, _signed(sender, delivery))


def _body_of(req: func.HttpRequest) -> bytes:
    body = req.get_body()
    if len(body) > _LARGEST_EVENT:
        _log.warning("a webhook of %d bytes was not read", len(body))
        raise ProblemError(
            ProblemKind.BODY_TOO_LARGE,
            f"At most {_LARGEST_EVENT} bytes are read.",
            "Send fewer of the ticket's fields.",
        )
    return body


def _proven(name: str, delivery: Delivery) -> Sender:
    """Return the declared sender of the delivery. A sender without a proof learns nothing else."""
    try:
        sender = webhook_senders().get(name)
        if sender is not None:
            sender.proof.check(delivery, sender.keys(), services().clock.now())
            return sender
        _log.warning("webhook %.70r refused: no such source is declared", name)
    except ProofError as error:
        _log.warning("webhook %s refused: %s (%s)", name, error, type(error).__name__)
    except ConfigurationError as error:
        _log.error("webhook %.70r can't be received: %s", name, error)
        raise _not_set_up() from None
    raise ProblemError(ProblemKind.UNAUTHENTICATED, "The delivery does not prove its sender.")


def _not_set_up() -> ProblemError:
    """Answer 503, so that the sender sends again once it is mended."""
    error = ProblemError(
        ProblemKind.MISCONFIGURED,
        "The app can't receive webhooks as it is set up.",
        "Read the function app's log, and send again.",
        headers={"Retry-After": "60"},
    )
    error.problem = error.problem.model_copy(
        update={"status": ProblemKind.STORAGE_UNAVAILABLE.status}
    )
    return error


def _signed(sender: Sender, delivery: Delivery) -> bytes | None:
    return delivery.body if sender.proof.is_replayable and not sender.may_repeat else None


async def _submit(
    req: func.HttpRequest, name: str, delivery: Delivery, wanted: Accepted, signed: bytes | None
) -> func.HttpResponse:
    channel = channels.webhook(name)
    note_effects(effects_of(wanted.request))
    submission = Submission(
        wanted.request,
        channel=channel,
        caller=channel,
        idempotency_key=wanted.delivery_id,
        traceparent=traceparent_of(req),
        signed=signed,
    )
    result = await submit(services(), submission, wait=0)
    if not isinstance(result, Submitted):
        newcomer = result.newcomer if isinstance(result, Conflict) else None
        newcomer = newcomer or new_onboarding(services(), wanted.request, channel)
        kept = await _keep(newcomer, result.error, delivery, wanted.delivery_id)
        _note(name, "refused", result.error.code)
        faults = result.faults if isinstance(result, Refusal) else None
        raise _final(ended_problem(kept, Addresses(req)), faults)
    _note(name, "accepted" if result.fresh else "repeated")
    onboarding = seen_by(result.onboarding, wanted.request)
    if not onboarding.status.terminal:
        return onboarding_answer(onboarding, 202, Addresses(req), done(step_of(result)))
    if onboarding.status is not Status.SUCCEEDED:
        raise _final(ended_problem(onboarding, Addresses(req)))
    return onboarding_answer(onboarding, 200, Addresses(req), done(step_of(result)))


async def _refused(
    req: func.HttpRequest, name: str, delivery: Delivery, refused: Invalid
) -> ProblemError:
    """Keep what can't be understood, and give the answer that says why."""
    error = OnboardingError(
        code=ErrorCode(refused.kind.code),
        message=f"The webhook's event could not be understood. {refused.error}",
        action="Correct the ticket or the mapping of its source, and send it again.",
    )
    text = delivery.body.decode("utf-8", "replace")
    onboarding = unreadable(services(), channels.webhook(name), text, refused.reference)
    kept = await _keep(onboarding, error, delivery, refused.delivery_id)
    _note(name, "refused", error.code)
    return ProblemError(
        refused.kind,
        error.message,
        error.action,
        headers=Addresses(req).pointers(kept),
        errors=refused.faults,
        onboarding_id=kept.id,
    )


async def _keep(
    onboarding: Onboarding, error: OnboardingError, delivery: Delivery, delivery_id: str | None
) -> Onboarding:
    digest = hashlib.sha256(delivery.body).hexdigest()
    return await record_failed_once(services(), onboarding, error, f"{delivery_id or ''}\0{digest}")


def _final(error: ProblemError, faults: tuple[Fault, ...] | None = None) -> ProblemError:
    """Answer 422, whatever it would be elsewhere: the same delivery will never do."""
    changes = {"status": ProblemKind.INVALID_VALUES.status, "errors": faults}
    error.problem = error.problem.model_copy(update=changes)
    return error


def _note(name: str, what: str, why: str = "") -> None:
    """The one line that is written for each proven delivery; what is counted is counted by it."""
    _log.info("webhook %s %s%s", name, what, f": {why}" if why else "")
