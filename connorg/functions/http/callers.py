"""Who calls: a holder of a function key, or somebody whom Entra signed in.

Source: "Work with user identities in Azure App Service authentication": App Service removes these
headers from what callers send, and sets them for a caller who has signed in.
"""

import base64
from collections.abc import Iterable

import azure.functions as func
from pydantic import BaseModel

from connorg.contract import channels
from connorg.contract.effects import ROLES, Effect, Role
from connorg.contract.model import GUID
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.core.policy.ways_in import ON_STANDING
from connorg.settings import settings


class _Claim(BaseModel):
    typ: str
    val: str


class _Principal(BaseModel):
    claims: list[_Claim] = []
    role_typ: str = "roles"

    @property
    def roles(self) -> set[str]:
        return {claim.val for claim in self.claims if claim.typ in {"roles", self.role_typ}}


def authorize(request: func.HttpRequest, role: Role) -> None:
    """Refuse who is not signed in or lacks the role, where the app is set to require Entra."""
    if not settings().require_entra:
        return
    header = request.headers.get("x-ms-client-principal")
    if header is None:
        raise ProblemError(
            ProblemKind.UNAUTHENTICATED,
            "This app takes callers with an Entra token only.",
            "Get a token for this app and send it as a bearer token.",
        )
    if role not in _principal(header).roles:
        raise ProblemError(
            ProblemKind.FORBIDDEN,
            f"The caller lacks the app role {role}.",
            "Ask an administrator to assign the role to the calling identity.",
        )


def authorize_effects(request: func.HttpRequest, effects: Iterable[Effect]) -> None:
    """Refuse who lacks the role for one of the effects, whatever the route asks for."""
    for role in sorted({ROLES[effect] for effect in effects}):
        authorize(request, role)


def require_way_in(effect: Effect) -> None:
    """Refuse an effect on an organization that exists, where callers over HTTP may only propose."""
    if effect in ON_STANDING and not settings().ways_in().take(effect, channels.HTTP):
        raise ProblemError(
            ProblemKind.REFUSED_BY_POLICY,
            f"Requests that come in by {channels.HTTP} may only propose.",
            "Ask those who run connorg whether the rule fits.",
        )


def caller_of(request: func.HttpRequest) -> str:
    """Name the caller whose Idempotency-Keys are kept apart; holders of keys are one caller."""
    return request.headers.get("x-ms-client-principal-id") or ""


def actor_of(request: func.HttpRequest) -> str:
    """Return who calls, as histories and the audit name it: an object id in Entra, or `key`."""
    object_id = caller_of(request).lower()
    return object_id if settings().require_entra and GUID.fullmatch(object_id) else "key"


def _principal(header: str) -> _Principal:
    try:
        return _Principal.model_validate_json(base64.b64decode(header, validate=True))
    except ValueError:  # no Base64, no ASCII even, no JSON, or no principal
        return _Principal()
