"""Bearer tokens of Entra, verified: who calls, and with which app roles.

Sources: "Access tokens in the Microsoft identity platform" (what to validate), "Secure applications
and APIs by validating claims", "Signing key rollover in the Microsoft identity platform".
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout

from connorg.core.ports import KeysUnavailableError, Principal, TokenRefusedError

_PATIENCE = ClientTimeout(total=5)  # seconds, for one of two calls
_FRESH = 24 * 60 * 60  # seconds; older keys are fetched again
_SKEW = 60  # seconds between Entra's clock and ours
# Callers that invent ids of keys must not make connorg flood Entra.
_MOST_FETCHES, _WITHIN = 3, 60.0  # seconds
_NEEDED = ["exp", "nbf", "iss", "aud", "tid", "oid"]


@dataclass(frozen=True)
class Trust:
    """The issuers and audiences of accepted tokens."""

    tenant: str
    audiences: Collection[str]
    issuers: Collection[str]
    authority: str
    """Where the tenant's metadata is, without a slash at its end."""


class EntraTokens:
    """Verifies tokens. Keys are cached for a day, and fetched again for an unknown key."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = -float(_FRESH)
        self._fetches: deque[float] = deque(maxlen=_MOST_FETCHES)
        self._one_at_a_time = asyncio.Lock()

    async def verify(self, token: str) -> Principal:
        """Return the caller of a token. Raise TokenRefusedError, KeysUnavailableError."""
        key = await self._key(_key_id_of(token))
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=[*self._trust.audiences],
                issuer=[*self._trust.issuers],
                leeway=_SKEW,
                options={"require": _NEEDED},
            )
        except Exception as error:  # noqa: BLE001  whatever a forged token does to the library
            raise TokenRefusedError(type(error).__name__) from None
        if claims["tid"] != self._trust.tenant or not isinstance(claims["oid"], str):
            raise TokenRefusedError("of another tenant")
        roles = claims.get("roles")
        named = roles if isinstance(roles, list) else []
        return Principal(claims["oid"], frozenset(role for role in named if isinstance(role, str)))

    async def _key(self, key_id: str) -> jwt.PyJWK:
        async with self._one_at_a_time:
            now = time.monotonic()
            if key_id not in self._keys or now - self._fetched > _FRESH:
                await self._fetch_anew(now)
        if key_id not in self._keys:
            raise TokenRefusedError("signed with a key that the tenant does not have")
        return self._keys[key_id]

    async def _fetch_anew(self, now: float) -> None:
        if len(self._fetches) == _MOST_FETCHES and now - self._fetches[0] < _WITHIN and self._keys:
            return
        self._fetches.append(now)
        try:
            self._keys = await self._fetch()
        except (ClientError, OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            if not self._keys:
                raise KeysUnavailableError(type(error).__name__) from None
        else:
            self._fetched = now

    async def _fetch(self) -> Mapping[str, jwt.PyJWK]:
        tenant = f"{self._trust.authority}/{self._trust.tenant}"
        async with ClientSession(timeout=_PATIENCE, raise_for_status=True) as session:
            metadata = await _json(session, f"{tenant}/v2.0/.well-known/openid-configuration")
            address = metadata["jwks_uri"]
            if urlsplit(address)[:2] != urlsplit(self._trust.authority)[:2]:
                raise ValueError("the keys lie elsewhere")
            found = (await _json(session, address))["keys"]
        keys = {key["kid"]: jwt.PyJWK(key, "RS256") for key in found if key.get("kty") == "RSA"}
        if not keys:
            raise ValueError("there are no keys")
        return keys


async def _json(session: ClientSession, address: str) -> dict[str, Any]:
    async with session.get(address, allow_redirects=False) as answer:
        found = json.loads(await answer.content.read())
    if not isinstance(found, dict):
        raise TypeError("no JSON object")
    return found


def _key_id_of(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except Exception as error:  # noqa: BLE001  whatever a forged token does to the library
        raise TokenRefusedError(type(error).__name__) from None
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str):
        raise TokenRefusedError("not signed as Entra signs")
    return key_id
