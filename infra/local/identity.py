"""The managed identity endpoint, in the form that App Service gives it; and Entra's keys beside it.

Source: "How to use managed identities for App Service and Azure Functions", REST endpoint
reference. The production credential code runs unchanged with ``IDENTITY_ENDPOINT`` set to
``<url>/msi/token`` and ``IDENTITY_HEADER`` to the header's value.

    python -m infra.local.identity --port 0
"""

import argparse
import asyncio
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from infra.local import tokens
from infra.local.authority import add_authority
from infra.local.serving import serve
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH

DEFAULT_ROLES = (
    "EntitlementManagement.ReadWrite.All",
    "CrossTenantInformation.ReadBasic.All",
    "User.Read.All",
    "Group.Read.All",
)
DEFAULT_LIFETIME_SECONDS = 24 * 60 * 60  # as long as Entra lets a managed identity's token live

_API_VERSION = "2019-08-01"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the app is, and what it has been granted in Microsoft Graph."""

    header: str = LOCAL_IDENTITY_HEADER
    roles: Sequence[str] = DEFAULT_ROLES
    lifetime_seconds: int = DEFAULT_LIFETIME_SECONDS

    def token(self, resource: str, client_id: str) -> dict[str, str]:
        now = int(time.time())
        expires_on = now + self.lifetime_seconds
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{tokens.HOME_TENANT_ID}/",
            "iat": now,
            "nbf": now,
            "exp": expires_on,
            "appid": client_id,
            "idtyp": "app",
            "oid": tokens.PRINCIPAL_ID,
            "sub": tokens.PRINCIPAL_ID,
            "tid": tokens.HOME_TENANT_ID,
            "roles": list(self.roles),
            "ver": "1.0",
        }
        return {
            "access_token": tokens.sign(claims),
            "expires_on": str(expires_on),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }


_IDENTITY = web.AppKey("identity", Identity)


def create_app(identity: Identity | None = None) -> web.Application:
    app = web.Application()
    app[_IDENTITY] = identity or Identity()
    app.router.add_get(TOKEN_PATH, _token)
    add_authority(app)
    return app


async def _token(request: web.Request) -> web.Response:
    identity = request.app[_IDENTITY]
    given = request.headers.get("X-IDENTITY-HEADER", "")
    if not hmac.compare_digest(given.encode(), identity.header.encode()):
        return _error(401, "The header X-IDENTITY-HEADER is missing or wrong.")
    if request.query.get("api-version") != _API_VERSION:
        return _error(400, f"The api-version must be {_API_VERSION}.")
    resource = request.query.get("resource")
    if not resource:
        return _error(400, "The parameter resource is missing.")
    return web.json_response(
        identity.token(resource, request.query.get("client_id") or tokens.APP_ID)
    )


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.identity", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--header", default=LOCAL_IDENTITY_HEADER)
    parser.add_argument("--role", action="append", help="instead of the default roles; repeatable")
    parser.add_argument("--lifetime", type=int, default=DEFAULT_LIFETIME_SECONDS, help="seconds")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    roles = tuple(arguments.role or DEFAULT_ROLES)
    identity = Identity(arguments.header, roles, arguments.lifetime)
    asyncio.run(serve(create_app(identity), arguments.port))


if __name__ == "__main__":
    main()
