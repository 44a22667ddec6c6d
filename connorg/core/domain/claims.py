"""What happens when a request meets an onboarding for the same identity source."""

from dataclasses import dataclass
from enum import Enum

from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import IfExists


class Reason(Enum):
    """Why a call changed nothing."""

    DIFFERS = "another request for the identity source asked for other attributes"
    EXISTS = "the identity source is connected already"
    KEY_REUSED = "the Idempotency-Key stands for another body"
    NOT_FAILED = "only a failed onboarding can be replayed"
    NOT_CANCELABLE = "only an onboarding that waits can be canceled"


@dataclass(frozen=True)
class Conflict:
    """Nothing was changed; `onboarding_id` names the onboarding that stands in the way."""

    reason: Reason
    onboarding_id: str
    onboarding: Onboarding | None = None
    newcomer: Onboarding | None = None
    """The one that was refused, where its message was put: the queue may know it by its id."""

    @property
    def error(self) -> OnboardingError:
        """The same as the reason of an onboarding that failed, where nobody waits for an answer."""
        code = {
            Reason.DIFFERS: ErrorCode.IDENTITY_SOURCE_IN_USE,
            Reason.EXISTS: ErrorCode.ALREADY_CONNECTED,
        }
        return OnboardingError(
            code=code.get(self.reason, ErrorCode.IDEMPOTENCY_KEY_REUSED),
            message=f"Not done: {self.reason.value}. See onboarding {self.onboarding_id}.",
        )


@dataclass(frozen=True)
class Submitted:
    """The onboarding that stands for a request; `fresh` when the request began it."""

    onboarding: Onboarding
    fresh: bool


def join(holder: Onboarding, newcomer: Onboarding) -> Submitted | Conflict:
    """Let a request join the onboarding that holds its identity source, if they agree.

    The identity source is the request's idempotency key: the same body meets its own onboarding,
    another body is a conflict, unless it says `ifExists: return` and so takes what there is.
    """
    if holder.id == newcomer.id:
        return Submitted(
            holder, fresh=False
        )  # its message, or its key's other request, was quicker
    if_exists = newcomer.request.if_exists if newcomer.request is not None else None
    if if_exists is IfExists.FAIL and holder.status is Status.SUCCEEDED:
        return Conflict(Reason.EXISTS, holder.id, holder)
    if if_exists is not IfExists.RETURN and holder.does_not_cover(newcomer):
        return Conflict(Reason.DIFFERS, holder.id, holder)
    return Submitted(holder, fresh=False)
