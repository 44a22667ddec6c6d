"""Who calls: a holder of a function key, or somebody whom Entra signed in.

Entra's callers prove themselves by their token. Where App Service authentication is in front of the
app, its headers are as good. Source: "Work with user identities in Azure App Service
authentication": it removes these headers from what callers send, and sets them for a caller that
has signed in.
"""

import base64
import logging
from collections.abc import Collection, Iterable
from contextvars import ContextVar
from typing import Literal

import azure.functions as func
from pydantic import BaseModel

from connorg.contract import channels
from connorg.contract.effects import ROLES, Effect, Role
from connorg.contract.model import GUID
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.core.policy.ways_in import ON_STANDING
from connorg.core.ports import KeysUnavailableError, Principal, TokenRefusedError
from connorg.settings import settings
from connorg.wiring import entra_tokens

_log = logging.getLogger(__name__)


class _Claim(BaseModel):
    typ: str
    val: object = None


class _Header(BaseModel):
    auth_typ: Literal["aad"]
    claims: list[_Claim] = []
    role_typ: str = "roles"

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(
            claim.val
            for claim in self.claims
            if claim.typ in {"roles", self.role_typ} and isinstance(claim.val, str)
        )


_BY_SCRIPT = "X-Requested-With"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_caller: ContextVar[Principal | None] = ContextVar("caller", default=None)
"""Whom Entra signed in, of the call that is answered; None: a holder of a key, or nobody."""
_asked: ContextVar[frozenset[Effect]] = ContextVar("asked", default=frozenset())


async def recognise(request: func.HttpRequest) -> None:
    """Store whom Entra signed in, for the functions here. Raise ProblemError."""
    _caller.set(None)
    if not settings().require_entra:
        return
    told = _told_by_app_service(request)
    if told is not None and _may_come_from_another_site(request):
        raise ProblemError(
            ProblemKind.FORBIDDEN,
            f"A call that changes something, signed in by a cookie, needs the header {_BY_SCRIPT}.",
            f"Send {_BY_SCRIPT}: XMLHttpRequest, or a bearer token in place of the cookie.",
        )
    _caller.set(told or await _proven_by_token(request))


def authorize(role: Role) -> None:
    """Reject callers that are not signed in or do not have the role, if Entra is required."""
    if not settings().require_entra:
        return
    caller = _caller.get()
    if caller is None:
        raise ProblemError(
            ProblemKind.UNAUTHENTICATED,
            "This app accepts only callers with an Entra token.",
            "Get a token for this app and send it as a bearer token.",
        )
    if role not in caller.roles:
        raise ProblemError(
            ProblemKind.FORBIDDEN,
            f"The caller does not have the app role {role}.",
            "Ask an administrator to assign the role to the calling identity.",
        )


def note_effects(effects: Iterable[Effect]) -> None:
    """Take note of all that a request may come to, for the audit."""
    _asked.set(frozenset(effects))


def asked_effects() -> frozenset[Effect]:
    """Return what was noted of the call that is answered."""
    return _asked.get()


def authorize_effects(effects: Collection[Effect]) -> None:
    """Reject callers without the role for one of the effects, whatever the route requires."""
    note_effects(effects)
    for role in sorted({ROLES[effect] for effect in effects}):
        authorize(role)


def require_way_in(effect: Effect) -> None:
    """Refuse an effect on an organization that exists, where callers over HTTP may only propose."""
    if effect in ON_STANDING and not settings().ways_in().take(effect, channels.HTTP):
        raise ProblemError(
            ProblemKind.REFUSED_BY_POLICY,
            f"Requests that come in by {channels.HTTP} may only propose.",
            "Ask the operators of connorg whether the rule is right.",
        )


def caller_of() -> str:
    """Name the caller whose Idempotency-Keys are kept apart; holders of keys are one caller.

    An object id, or nothing: so nobody can pose as a channel, whose keys are stored beside them.
    """
    caller = _caller.get()
    object_id = caller.object_id.lower() if caller is not None else ""
    return object_id if GUID.fullmatch(object_id) else ""


def actor_of() -> str:
    """Return who calls, as histories and the audit name it: an object id in Entra, or `key`."""
    return caller_of() or "key"


def _told_by_app_service(request: func.HttpRequest) -> Principal | None:
    """Read the header that App Service sets; where it does not, anybody can have written it."""
    header = request.headers.get("x-ms-client-principal")
    if header is None or not settings().signs_in_before:
        return None
    try:
        told = _Header.model_validate_json(base64.b64decode(header, validate=True))
    except ValueError:  # no Base64, no ASCII even, no JSON, or no principal of Entra
        return None
    return Principal(request.headers.get("x-ms-client-principal-id") or "", told.roles)


def _may_come_from_another_site(request: func.HttpRequest) -> bool:
    """Whether a form of another site could send this call, with the cookie of who signed in here.

    Browsers send cookies with forms of any site. They send headers of a script's choice to another
    site only where that site allows it. Source: "Cross-Site Request Forgery Prevention" (OWASP),
    "Employing Custom Request Headers".
    """
    headers = request.headers
    by_script = headers.get("authorization") or headers.get(_BY_SCRIPT)
    return request.method not in _READS and bool(headers.get("cookie")) and not by_script


async def _proven_by_token(request: func.HttpRequest) -> Principal | None:
    scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or (tokens := entra_tokens()) is None:
        return None
    try:
        return await tokens.verify(token.strip())
    except TokenRefusedError as error:
        _log.warning("a bearer token was refused: %s", error)
        return None
    except KeysUnavailableError as error:
        _log.error("the tenant's signing keys can't be fetched: %s", error)
        raise ProblemError(
            ProblemKind.SIGNING_KEYS_UNAVAILABLE,
            "Entra's signing keys can't be fetched now.",
            "Send the request again.",
            headers={"Retry-After": "5"},
        ) from None
