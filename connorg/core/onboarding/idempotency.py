"""The Idempotency-Key: the same key and body give the same onboarding."""

import hashlib
from dataclasses import dataclass

from connorg.contract.onboarding import Onboarding
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.onboarding.records import follow_joined
from connorg.core.ports import KeyReservation, Ledger


@dataclass(frozen=True)
class Submission:
    request: OnboardingRequest
    channel: str
    caller: str = ""
    idempotency_key: str | None = None
    traceparent: str | None = None
    by: str | None = None
    """Who asks for it, as the history says it; None: the channel says it all."""


async def bind_key(
    ledger: Ledger, submission: Submission, onboarding: Onboarding
) -> Onboarding | Submitted | Conflict:
    """Give the onboarding under the id that the caller's Idempotency-Key is bound to."""
    # Without what was left out, so that a newer version's fields make no other body of the same.
    body = submission.request.model_dump_json(exclude_none=True)
    fingerprint = hashlib.sha256(body.encode()).hexdigest()
    key = submission.idempotency_key or ""
    bound = await ledger.reserve_key(
        submission.caller, key, KeyReservation(fingerprint, onboarding.id)
    )
    if bound.fingerprint != fingerprint:
        return Conflict(Reason.KEY_REUSED, bound.onboarding_id)
    if bound.onboarding_id == onboarding.id:
        return onboarding
    earlier = await ledger.read(bound.onboarding_id)
    if earlier is not None:
        return Submitted(await follow_joined(ledger, earlier), fresh=False)
    # The key is bound and the ledger not yet written: by a request right now, or before a crash.
    return onboarding.model_copy(update={"id": bound.onboarding_id})
