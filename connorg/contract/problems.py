"""Every error: the answers, as RFC 9457 `application/problem+json`, and those of onboardings.

`type` and `code` are stable; callers may build on them. Texts are for people and may change.
docs/http-errors.md describes every code here for callers.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Any, Self

from connorg.contract.faults import Fault, RowFault
from connorg.contract.model import Model
from connorg.contract.organization import Difference


class ProblemKind(Enum):
    """Status and title. A kind's name is its code, in the same words."""

    MALFORMED_BODY = (400, "The body can't be read")
    INVALID_PARAMETER = (400, "A parameter or header can't be used")
    UNAUTHENTICATED = (401, "The caller is not known")
    FORBIDDEN = (403, "The caller may not do this")
    ORGANIZATION_NOT_FOUND = (404, "There is no such organization")
    SPONSOR_NOT_FOUND = (404, "There is no such sponsor")
    ONBOARDING_NOT_FOUND = (404, "There is no such onboarding")
    BATCH_NOT_FOUND = (404, "There is no such batch")
    FILE_NOT_FOUND = (404, "There is no such file")
    IDENTITY_SOURCE_IN_USE = (409, "The identity source is in use with other attributes")
    ALREADY_CONNECTED = (409, "The identity source is connected already")
    ONBOARDING_NOT_REPLAYABLE = (409, "The onboarding can't be replayed")
    ONBOARDING_NOT_CANCELABLE = (409, "The onboarding can't be canceled")
    PARTNER_UNDER_WAY = (409, "Something of the partner is under way")
    ONBOARDING_CANCELED = (410, "The onboarding was canceled")
    PRECONDITION_FAILED = (412, "The organization is not as the caller expects it")
    BODY_TOO_LARGE = (413, "The body is too large")
    INVALID_VALUES = (422, "The body has invalid values")
    REFUSED_BY_POLICY = (422, "It may not be connected")
    REFUSED_BY_GRAPH = (422, "Microsoft Graph refused it")
    IDEMPOTENCY_KEY_REUSED = (422, "The Idempotency-Key was used for another body")
    ONBOARDING_FAILED = (422, "The onboarding failed")
    CONFIRMATION_REQUIRED = (428, "A delete must be confirmed")
    INTERNAL_ERROR = (500, "connorg failed")
    MISCONFIGURED = (500, "The app is not set up")
    STORAGE_UNAVAILABLE = (503, "Storage is not reachable")
    GRAPH_UNAVAILABLE = (503, "Microsoft Graph can't be called now")
    SIGNING_KEYS_UNAVAILABLE = (503, "Tokens can't be verified now")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def code(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("_"))

    @classmethod
    def of(cls, type: str) -> Self:  # noqa: A002  RFC 9457's word
        """Return the kind of a problem's `type`."""
        return next(kind for kind in cls if kind.type == type)

    @property
    def type(self) -> str:
        return f"urn:connorg:problem:{self.name.lower().replace('_', '-')}"


class ErrorCode(StrEnum):
    """Why an onboarding, a row of a batch or a dry run is not what was asked for.

    A code that a ProblemKind has too is that kind's, under the same name. What is read back from
    storage may hold codes that this version does not know, so there a code is any text.
    """

    # What Graph, or the way to it, answered to an attempt. Most pass by themselves.
    GRAPH_UNREACHABLE = "GraphUnreachable"
    """No connection was made, so nothing was sent."""
    GRAPH_CONNECTION_LOST = "GraphConnectionLost"
    """The connection broke before the answer. Graph may have carried the call out."""
    GRAPH_TIMEOUT = "GraphTimeout"
    """Graph did not answer in time. It may have carried the call out."""
    GRAPH_ANSWER_UNREADABLE = "GraphAnswerUnreadable"
    """Graph carried the call out, and its answer could not be understood."""
    GRAPH_UNAVAILABLE = "GraphUnavailable"
    """Graph failed inside (5xx). It may have carried the call out."""
    GRAPH_THROTTLED = "GraphThrottled"
    """Graph asked everybody to call less often (429)."""
    GRAPH_BUSY = "GraphBusy"
    """Graph was busy with the same organization."""
    TOKEN_UNAVAILABLE = "TokenUnavailable"  # noqa: S105  a code
    """The app's identity gave no token, so Graph was not called."""
    TOKEN_REJECTED = "TokenRejected"  # noqa: S105  a code
    """Graph rejected the app's token (401)."""
    PERMISSION_MISSING = "PermissionMissing"
    """Graph missed a permission of the app (403)."""
    LICENSE_MISSING = "LicenseMissing"
    """The tenant has no licence for it."""
    TENANT_FULL = "TenantFull"
    """The tenant holds as many organizations as it may."""
    REFUSED_BY_GRAPH = "RefusedByGraph"
    """Graph refused the request itself (4xx)."""
    ALREADY_CONNECTED = "AlreadyConnected"
    """The identity source is taken: Graph says so, or `ifExists` is `fail`."""

    # What connorg makes of it.
    NOT_LISTED_YET = "NotListedYet"
    """An organization may have been created, and Graph does not list it, or not yet."""
    CONNECTED_BUT_NOT_FOUND = "ConnectedButNotFound"
    """Graph says that the identity source is taken, and lists no organization with it."""
    TENANT_UNDER_WAY = "TenantUnderWay"
    """Another onboarding is connecting the same tenant by another name of it."""
    NO_TENANT = "NoTenant"
    """A warning: no tenant has the domain, so its users sign in in another way."""
    SPONSOR_NOT_ADDED = "SponsorNotAdded"
    """A warning: the organization exists, without this sponsor."""
    GAVE_UP = "GaveUp"
    """It could not be done in the time given to an onboarding."""

    # What a request asks for can't be had.
    INVALID_VALUES = "InvalidValues"
    """A webhook's event or a row has values that can't be."""
    MALFORMED_BODY = "MalformedBody"
    """A webhook's body can't be read."""
    REFUSED_BY_POLICY = "RefusedByPolicy"
    """A rule of the company forbids it."""
    IDENTITY_SOURCE_IN_USE = "IdentitySourceInUse"
    """Another request for the identity source asked for other attributes."""
    IDEMPOTENCY_KEY_REUSED = "IdempotencyKeyReused"
    """The Idempotency-Key, or a delivery's id, was used for another request."""
    JOINED = "Joined"
    """It was never begun: another onboarding of the identity source covers it."""

    # What became of a message.
    MESSAGE_UNREADABLE = "MessageUnreadable"
    """A queue message could not be understood."""
    MESSAGE_POISONED = "MessagePoisoned"
    """The Functions host gave its queue message up."""

    UNKNOWN = "Unknown"
    """It failed, and the ledger does not say why."""


class Problem(Model):
    type: str
    title: str
    status: int
    detail: str
    code: str
    action: str | None = None
    errors: tuple[RowFault | Fault, ...] | None = None
    differences: tuple[Difference, ...] | None = None
    onboarding_id: str | None = None
    graph_code: str | None = None
    graph_request_id: str | None = None


class ProblemError(Exception):
    """Ends a function with a problem answer. `more` fills further fields of the problem."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        action: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.headers = headers or {}
        self.problem = Problem(
            type=kind.type,
            title=kind.title,
            status=kind.status,
            detail=detail,
            action=action,
            **{"code": kind.code, **more},
        )
