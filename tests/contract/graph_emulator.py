"""What the tests of the Graph emulator share: one to talk to, in this process, over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from infra.local import tokens
from infra.local.child import LOOPBACK
from infra.local.graph import create_app
from infra.local.identity import DEFAULT_ROLES

ORGANIZATIONS = "/v1.0/identityGovernance/entitlementManagement/connectedOrganizations"
BETA_ORGANIZATIONS = "/beta/identityGovernance/entitlementManagement/connectedOrganizations"

PARTNER_ID = "aaaaaaaa-0000-4000-8000-000000000001"
USER = {
    "id": "bbbbbbbb-0000-4000-8000-000000000001",
    "userPrincipalName": "ada@home.example",
    "displayName": "Ada",
}
GUEST = {
    "id": "bbbbbbbb-0000-4000-8000-000000000002",
    "userPrincipalName": "bob_contoso.example#EXT#@home.example",
    "displayName": "Bob",
}
GROUP = {"id": "cccccccc-0000-4000-8000-000000000001", "displayName": "Sponsors"}
TENANTS: list[dict[str, Any]] = [
    {
        "tenantId": tokens.HOME_TENANT_ID,
        "displayName": "Home",
        "defaultDomainName": "home.example",
        "domains": ["home.example"],
        "users": [USER, GUEST],
        "groups": [GROUP],
    },
    {
        "tenantId": PARTNER_ID,
        "displayName": "Contoso",
        "defaultDomainName": "contoso.example",
        "domains": ["contoso.example", "contoso.test"],
        "users": [],
        "groups": [],
    },
]


class Response(NamedTuple):
    status: int
    body: Any
    headers: CIMultiDictProxy[str]

    @property
    def code(self) -> str:
        """Of Graph's error envelope."""
        code: str = self.body["error"]["code"]
        return code


class EmulatedGraph:
    def __init__(self, root: str, session: aiohttp.ClientSession) -> None:
        self.root = root
        self._session = session
        self.authorization = {"Authorization": f"Bearer {self.token()}"}

    def token(self, **claims: Any) -> str:
        """A token as the managed identity endpoint issues it, but for the claims given."""
        usual = {
            "aud": self.root,
            "exp": time.time() + 3600,
            "appid": tokens.APP_ID,
            "roles": list(DEFAULT_ROLES),
        }
        return tokens.sign(usual | claims)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """``query`` holds OData's options without their ``$``."""
        async with self._session.request(
            method,
            path if path.startswith(self.root) else self.root + path,
            json=body,
            params={f"${name}": value for name, value in (query or {}).items()},
            headers=self.authorization | dict(headers or {}),
        ) as response:
            is_json = response.content_type == "application/json"
            answer = await (response.json() if is_json else response.text())
            return Response(response.status, answer, response.headers)

    async def send(self, method: str, path: str, body: Any = None) -> Response:
        """To an address that goes out as it is written."""
        address = URL(self.root + path, encoded=True)
        async with self._session.request(
            method, address, json=body, headers=self.authorization
        ) as response:
            is_json = response.content_type == "application/json"
            answer = await (response.json() if is_json else response.text())
            return Response(response.status, answer, response.headers)

    async def create(self, body: dict[str, Any]) -> str:
        """The new organization's id."""
        response = await self.call("POST", ORGANIZATIONS, body)
        assert response.status == 201, response.body
        organization_id: str = response.body["id"]
        return organization_id

    async def control(self, method: str, name: str, body: Any = None) -> Any:
        """``/_emulator/<name>`` without a token, as tests use it."""
        address = f"{self.root}/_emulator/{name}".rstrip("/")
        async with self._session.request(method, address, json=body) as response:
            assert response.status in {200, 204}, await response.text()
            return await response.json() if response.status == 200 else None

    async def configure(self, **config: Any) -> None:
        await self.control("PUT", "config", config)

    async def fail(self, *rules: dict[str, Any]) -> None:
        await self.control("PUT", "faults", list(rules))

    async def tenants(self) -> None:
        await self.control("PUT", "tenants", TENANTS)


async def until(holds: Callable[[], Awaitable[Any]]) -> None:
    """Waits for what the emulator does in its own time. Raise TimeoutError if it never does."""
    async with asyncio.timeout(30):  # far more than any machine needs
        while not await holds():  # noqa: ASYNC110  it is seen over HTTP, which has no event
            await asyncio.sleep(0.001)


@asynccontextmanager
async def emulated_graph() -> AsyncIterator[EmulatedGraph]:
    # As infra.local.serving runs it: aiohttp's TestServer would cancel a call when its caller
    # goes away, where Graph carries it out.
    runner = web.AppRunner(create_app())
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        async with aiohttp.ClientSession() as session:
            yield EmulatedGraph(f"http://{LOOPBACK}:{runner.addresses[0][1]}", session)
    finally:
        await runner.cleanup()


def domain(name: str, **changes: Any) -> dict[str, Any]:
    """The body that creates an organization for a domain."""
    return _organization(
        name,
        {
            "@odata.type": "#microsoft.graph.domainIdentitySource",
            "domainName": name,
            "displayName": name,
        },
        changes,
    )


def tenant(tenant_id: str, **changes: Any) -> dict[str, Any]:
    return _organization(
        tenant_id,
        {
            "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
            "tenantId": tenant_id,
            "displayName": tenant_id,
        },
        changes,
    )


def federation(name: str, **changes: Any) -> dict[str, Any]:
    return _organization(
        name,
        {
            "@odata.type": "#microsoft.graph.externalDomainFederation",
            "domainName": name,
            "displayName": name,
            "issuerUri": f"https://{name}/idp",
        },
        changes,
    )


def cross_cloud(tenant_id: str, cloud: str, **changes: Any) -> dict[str, Any]:
    return _organization(
        tenant_id,
        {
            "@odata.type": "#microsoft.graph.crossCloudAzureActiveDirectoryTenant",
            "tenantId": tenant_id,
            "displayName": tenant_id,
            "cloudInstance": cloud,
        },
        changes,
    )


def _organization(name: str, source: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    usual = {
        "displayName": name,
        "description": f"The partner {name}",
        "identitySources": [source],
        "state": "configured",
    }
    return usual | changes
