"""Every error answer, as RFC 9457 `application/problem+json`.

`type` and `code` are stable; callers may build on them. Texts are for people and may change.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from connorg.contract.faults import Fault, RowFault
from connorg.contract.model import Model
from connorg.contract.organization import Difference


class ProblemKind(Enum):
    """Status and title. A kind's name is its code, in the same words."""

    MALFORMED_BODY = (400, "The body can't be read")
    INVALID_PARAMETER = (400, "A parameter or header can't be used")
    UNAUTHENTICATED = (401, "The caller is not known")
    FORBIDDEN = (403, "The caller lacks a role")
    ORGANIZATION_NOT_FOUND = (404, "There is no such organization")
    SPONSOR_NOT_FOUND = (404, "There is no such sponsor")
    ONBOARDING_NOT_FOUND = (404, "There is no such onboarding")
    BATCH_NOT_FOUND = (404, "There is no such batch")
    IDENTITY_SOURCE_IN_USE = (409, "The identity source is in use with other attributes")
    ALREADY_CONNECTED = (409, "The identity source is connected already")
    ONBOARDING_NOT_REPLAYABLE = (409, "The onboarding can't be replayed")
    ONBOARDING_NOT_CANCELABLE = (409, "The onboarding can't be canceled")
    ONBOARDING_CANCELED = (410, "The onboarding was canceled")
    PRECONDITION_FAILED = (412, "The organization is not as the caller takes it to be")
    BODY_TOO_LARGE = (413, "The body is too large")
    INVALID_VALUES = (422, "The body has invalid values")
    REFUSED_BY_POLICY = (422, "It may not be connected")
    REFUSED_BY_GRAPH = (422, "Microsoft Graph refused it")
    IDEMPOTENCY_KEY_REUSED = (422, "The Idempotency-Key stands for another body")
    ONBOARDING_FAILED = (422, "The onboarding failed")
    CONFIRMATION_REQUIRED = (428, "A delete must be confirmed")
    INTERNAL_ERROR = (500, "connorg failed")
    MISCONFIGURED = (500, "The app is not set up")
    STORAGE_UNAVAILABLE = (503, "Storage is not reachable")
    GRAPH_UNAVAILABLE = (503, "Microsoft Graph can't be asked now")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def code(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def type(self) -> str:
        return f"urn:connorg:problem:{self.name.lower().replace('_', '-')}"


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
