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
    """Who requests it, as in the history; None: only the channel is known."""
    signed: bytes | None = None
    """The bytes that prove the sender, where it signs neither a time nor an id: sent again under
    another id they must begin nothing."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return all that makes the request be the same as an earlier one."""
        given = () if self.idempotency_key is None else (self.idempotency_key,)
        if self.signed is None:
            return given
        # With what was understood of them: a corrected mapping makes another request of the same.
        understood = f"signed\0{_fingerprint(self.request)}\0".encode() + self.signed
        return (*given, f"signed:{hashlib.sha256(understood).hexdigest()}")


async def bind_key(
    ledger: Ledger, submission: Submission, onboarding: Onboarding
) -> Onboarding | Submitted | Conflict:
    """Return the onboarding under the id that the caller's keys are bound to."""
    for key in submission.keys:
        bound = await _bind(ledger, submission, key, onboarding)
        if not isinstance(bound, Onboarding):
            return bound
        onboarding = bound
    return onboarding


async def _bind(
    ledger: Ledger, submission: Submission, key: str, onboarding: Onboarding
) -> Onboarding | Submitted | Conflict:
    fingerprint = _fingerprint(submission.request)
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


def _fingerprint(request: OnboardingRequest) -> str:
    # Without what was left out, so that a newer version's fields make no other body of the same.
    return hashlib.sha256(request.model_dump_json(exclude_none=True).encode()).hexdigest()
