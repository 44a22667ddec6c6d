"""What happens when a request meets an onboarding for the same identity source.

The onboarding that holds the claim is the holder; the one of the request is the newcomer. The
newcomer replaces a holder that left no organization, or to which it adds something that it may
change; else it joins the holder, or is a conflict.
"""

from dataclasses import dataclass
from enum import Enum

from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import differences, unmet
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import IfExists, OnboardingRequest


class Reason(Enum):
    """Why a call changed nothing."""

    DIFFERS = "another request for the identity source asked for other attributes"
    EXISTS = "the identity source is connected already"
    KEY_REUSED = "the Idempotency-Key was used for another body"
    NOT_FAILED = "only a failed onboarding can be replayed"
    NOT_CANCELABLE = "only an onboarding that waits can be canceled"


@dataclass(frozen=True)
class Conflict:
    """Nothing was changed; `onboarding_id` names the conflicting onboarding."""

    reason: Reason
    onboarding_id: str
    onboarding: Onboarding | None = None
    newcomer: Onboarding | None = None
    """The one that was refused, where its message was put: the queue may know it by its id."""

    @property
    def error(self) -> OnboardingError:
        """The same as the reason of a failed onboarding, if no caller waits for an answer."""
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
    """The onboarding that covers a request; `fresh` when the request began it."""

    onboarding: Onboarding
    fresh: bool


def can_be_replaced_by(holder: Onboarding, newcomer: Onboarding) -> bool:
    """Return whether the newcomer may take over the identity source."""
    if not holder.exists_in_graph or newcomer.request is None:
        return holder.status.terminal
    lacks = any(warning.code != ErrorCode.NO_TENANT for warning in holder.warnings)
    wants_more = does_not_cover(holder, newcomer) or lacks
    return _updates(newcomer) and wants_more


def taking_over_from(newcomer: Onboarding, holder: Onboarding) -> Onboarding:
    """Return the newcomer with the holder's doubt: a POST of its may still turn out to have worked.

    Where the holder's organization exists and only sponsors are left, the newcomer goes on with
    those; unless it may not change an organization that stood before.
    """
    doubts = [doubt for doubt in (newcomer.doubt_until, holder.doubt_until) if doubt is not None]
    changes: dict[str, object] = {"doubt_until": max(doubts, default=None)}
    asks_the_same = not (does_not_cover(holder, newcomer) or does_not_cover(newcomer, holder))
    may_add = holder.conclusion is Conclusion.CREATED or _updates(newcomer)
    if holder.sponsors_to_add and asks_the_same and may_add:
        kept = ("conclusion", "result", "differences", "warnings", "sponsors_to_add")
        changes |= {name: getattr(holder, name) for name in kept}
    return newcomer.model_copy(update=changes)


def _updates(newcomer: Onboarding) -> bool:
    return newcomer.request is not None and newcomer.request.if_exists is IfExists.UPDATE


def does_not_cover(holder: Onboarding, newcomer: Onboarding) -> bool:
    """Return whether the newcomer asks for anything that the holder did not ask for."""
    if holder.request is None or newcomer.request is None:
        return holder.request is not newcomer.request
    return bool(unmet(newcomer.request, holder.request))


def join(holder: Onboarding, newcomer: Onboarding) -> Submitted | Conflict:
    """Let a request join the onboarding that holds its identity source, if they agree.

    The identity source is the request's idempotency key: the same body meets its own onboarding,
    another body is a conflict, unless it says `ifExists: return` and so takes what there is.
    """
    if holder.id == newcomer.id:
        # Its message, or its key's other request, was quicker.
        return Submitted(holder, fresh=False)
    if_exists = newcomer.request.if_exists if newcomer.request is not None else None
    if if_exists is IfExists.FAIL and holder.status is Status.SUCCEEDED:
        return Conflict(Reason.EXISTS, holder.id, holder)
    if if_exists is not IfExists.RETURN and does_not_cover(holder, newcomer):
        return Conflict(Reason.DIFFERS, holder.id, holder)
    return Submitted(holder, fresh=False)


def seen_by(holder: Onboarding, request: OnboardingRequest) -> Onboarding:
    """Return an onboarding as the caller of a request that joined it may see it.

    With the caller's own request: who else requested it, for which ticket and sponsors, is
    not theirs to know.
    """
    asked = holder.request
    if asked is None or asked.model_dump() == request.model_dump():
        return holder
    own = {sponsorship.sponsor for sponsorship in request.sponsorships}
    others = {sponsorship.sponsor for sponsorship in asked.sponsorships} - own
    lacked = [found for found in holder.differences if found.requested in own]
    differing = differences(request.attributes, holder.result.attributes) if holder.result else ()
    changes = {
        "request": request,
        "reference": request.reference,
        "differences": (*differing, *lacked),
        "warnings": tuple(
            warning
            for warning in holder.warnings
            if not any(sponsor in warning.message.lower() for sponsor in others)
        ),
    }
    return holder.model_copy(update=changes)
