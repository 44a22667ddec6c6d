"""Access tokens of the local stack: JSON Web Tokens signed with a key that everybody knows.

The managed identity endpoint signs, the Graph emulator verifies. Nothing outside this machine
trusts the key, so a token that leaks is worth nothing.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Collection, Mapping
from typing import Any

HOME_TENANT_ID = "11111111-1111-4111-8111-111111111111"
APP_ID = "22222222-2222-4222-8222-222222222222"
PRINCIPAL_ID = "33333333-3333-4333-8333-333333333333"
LOCAL_IDENTITY_HEADER = "local-identity-header"
TOKEN_PATH = "/msi/token"

_KEY = b"local stack signing key: known to all, trusted by nobody else"
_HEADER = {"typ": "JWT", "alg": "HS256", "kid": "local"}


class TokenError(Exception):
    """The token is not one to trust; the message says why."""


def sign(claims: Mapping[str, Any]) -> str:
    signed = f"{_encode(_HEADER)}.{_encode(claims)}"
    return f"{signed}.{_base64url(_signature(signed))}"


def verify(token: str, audiences: Collection[str]) -> Mapping[str, Any]:
    """The claims of a token that is ours, meant for one of the audiences and not expired.

    Raise TokenError.
    """
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_base64url(_signature(signed)).encode(), signature.encode()):
        raise TokenError("Access token validation failure. The signature is invalid.")
    claims = _claims(signed)
    if claims.get("aud") not in audiences:
        raise TokenError("Access token validation failure. Invalid audience.")
    if claims.get("exp", 0) <= time.time():
        raise TokenError("Lifetime validation failed, the token is expired.")
    return claims


def _claims(signed: str) -> dict[str, Any]:
    try:
        payload = signed.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    except (IndexError, ValueError, binascii.Error):
        raise TokenError("Access token validation failure. The token is not a JWT.") from None
    return claims


def _encode(part: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _signature(signed: str) -> bytes:
    return hmac.digest(_KEY, signed.encode(), hashlib.sha256)
