"""Entra's keys for callers' tokens: metadata, keys, tokens on request, and new keys.

Sources: "OpenID Connect on the Microsoft identity platform" (the metadata document), "Signing key
rollover in the Microsoft identity platform". A token is signed with whatever claims are asked for,
and nobody outside this machine trusts it.

    GET  /{tenant}/v2.0/.well-known/openid-configuration
    GET  /{tenant}/discovery/v2.0/keys
    POST /{tenant}/tokens     {"claims": {}}: a token with these claims, as it stands
    POST /{tenant}/rotation   a new key signs; the old one is no longer given
"""

import json
from typing import Any
from uuid import uuid4

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_BITS = 2048


class Authority:
    """The tenant's key. It is made with the first request that needs one."""

    def __init__(self) -> None:
        self._key: rsa.RSAPrivateKey | None = None
        self._id = ""

    def rotate(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        self._id = uuid4().hex

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._signing(), "RS256", {"kid": self._id})

    def keys(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self._signing().public_key()))
        return {"keys": [{**public, "kid": self._id, "use": "sig", "alg": "RS256"}]}

    def _signing(self) -> rsa.RSAPrivateKey:
        if self._key is None:
            self.rotate()
        assert self._key is not None
        return self._key


_AUTHORITY = web.AppKey("authority", Authority)


def add_authority(app: web.Application, authority: Authority | None = None) -> None:
    app[_AUTHORITY] = authority or Authority()
    app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", _metadata)
    app.router.add_get("/{tenant}/discovery/v2.0/keys", _keys)
    app.router.add_post("/{tenant}/tokens", _token)
    app.router.add_post("/{tenant}/rotation", _rotation)


async def _metadata(request: web.Request) -> web.Response:
    tenant = request.url.origin() / request.match_info["tenant"]
    return web.json_response(
        {
            "issuer": f"https://login.microsoftonline.com/{request.match_info['tenant']}/v2.0",
            "jwks_uri": str(tenant / "discovery/v2.0/keys"),
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


async def _keys(request: web.Request) -> web.Response:
    return web.json_response(request.app[_AUTHORITY].keys())


async def _token(request: web.Request) -> web.Response:
    asked = await request.json()
    return web.json_response({"access_token": request.app[_AUTHORITY].sign(asked["claims"])})


async def _rotation(request: web.Request) -> web.Response:
    request.app[_AUTHORITY].rotate()
    return web.Response(status=204)
