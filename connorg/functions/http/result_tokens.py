"""The credential of a result address: pollers repeat no key, so the address carries its own.

Each onboarding has a random key, which its row keeps. Rows of earlier versions have none: there the
id alone must be known or, with CONNORG_RESULT_SECRETS, a token that signs it. With that setting no
credential outlives the end of its onboarding by more than a day.
"""

import hashlib
import hmac
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func

from connorg.contract.onboarding import Onboarding
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.functions.http.parameters import text
from connorg.settings import result_secrets
from connorg.wiring import services

if TYPE_CHECKING:
    from itsdangerous import Signer

TOKEN = text("token", "The token in the address of Location, if one is needed.", 256)
_VALID = timedelta(days=1)  # after the end


def token_of(onboarding: Onboarding) -> str | None:
    """Return what its result address carries; None: nothing. Raise ConfigurationError."""
    if onboarding.result_key is not None:
        return onboarding.result_key
    signer = _signer()
    return None if signer is None else signer.get_signature(onboarding.id).decode()


def require_token(req: func.HttpRequest, onboarding_id: str, onboarding: Onboarding | None) -> None:
    """Refuse a caller without a credential for this onboarding. None: there is no onboarding."""
    token = TOKEN.of(req) or ""
    if onboarding is not None and onboarding.result_key is not None:
        given = token.encode("utf-8", "surrogatepass")
        is_known = hmac.compare_digest(given, onboarding.result_key.encode())
    else:
        signer = _signer()
        is_known = signer is None or signer.verify_signature(onboarding_id, token)
    if not is_known:
        raise _refused()


def require_not_expired(onboarding: Onboarding) -> None:
    """Refuse a token whose onboarding ended too long ago."""
    age = services().clock.now() - onboarding.last_action_date_time
    if _signer() is not None and onboarding.status.terminal and age > _VALID:
        raise _refused()


def _refused() -> ProblemError:
    """One answer to all: it does not show whether an onboarding exists."""
    return ProblemError(ProblemKind.UNAUTHENTICATED, "The address is not valid.")


@cache
def _signer() -> "Signer | None":
    secrets = result_secrets()
    if not secrets:
        return None
    from itsdangerous import Signer  # noqa: PLC0415  without a secret it is not needed

    # The first one signs; the library takes the last.
    return Signer([*reversed(secrets)], salt="connorg.result", digest_method=hashlib.sha256)
