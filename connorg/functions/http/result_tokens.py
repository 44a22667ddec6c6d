"""The credential of a result address: pollers repeat no key, so the address carries its own.

A token signs the id of its onboarding. It does not expire before the onboarding has ended, and then
after a day. Without the setting there are no tokens, and the id alone must be known.
"""

import hashlib
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func

from connorg.contract.onboarding import Onboarding
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.settings import result_secrets
from connorg.wiring import services

if TYPE_CHECKING:
    from itsdangerous import Signer

PARAMETER = "token"
_VALID = timedelta(days=1)  # after the end


def token_of(onboarding_id: str) -> str | None:
    """Give the token of a result address; None: none is needed. Raises ConfigurationError."""
    signer = _signer()
    return None if signer is None else signer.get_signature(onboarding_id).decode()


def require_token(req: func.HttpRequest, onboarding_id: str) -> None:
    """Refuse who has no token for this onboarding."""
    signer = _signer()
    token = req.params.get(PARAMETER) or ""
    if signer is not None and not signer.verify_signature(onboarding_id, token):
        raise _refused()


def require_not_expired(onboarding: Onboarding) -> None:
    """Refuse a token whose onboarding ended too long ago."""
    age = services().clock.now() - onboarding.last_action_date_time
    if _signer() is not None and onboarding.status.terminal and age > _VALID:
        raise _refused()


def _refused() -> ProblemError:
    """One answer to all: whether an onboarding exists is not told either."""
    return ProblemError(ProblemKind.UNAUTHENTICATED, "The address is not valid.")


@cache
def _signer() -> "Signer | None":
    secrets = result_secrets()
    if not secrets:
        return None
    from itsdangerous import Signer  # noqa: PLC0415  who sets no secret does not pay for it

    # The first one signs; the library takes the last.
    return Signer([*reversed(secrets)], salt="connorg.result", digest_method=hashlib.sha256)
