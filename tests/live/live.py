"""A Graph to try things in, that is left as it was found."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self

import httpx
import pytest

from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.outcomes import AlreadyConnected, Setback
from connorg.graph.admin import GraphOrganizationAdmin
from connorg.graph.client import graph_client
from connorg.graph.gateway import GraphOrganizationGateway
from connorg.graph.sender import Sender
from connorg.wiring import SystemClock
from tests.contract.graph_emulator import domain
from tests.live.place import DOMAINS, Place

ORGANIZATIONS = "identityGovernance/entitlementManagement/connectedOrganizations"
PATIENCE = 180.0  # seconds until what was made must be seen
_NUMBERS = itertools.count(1)


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def error(self) -> dict[str, Any]:
        found = self.body.get("error") if isinstance(self.body, dict) else None
        return found if isinstance(found, dict) else {}


class Live:
    """Graph by connorg's own adapters, and by raw calls where the answer itself is the question."""

    def __init__(self, place: Place, version: str, http: httpx.AsyncClient) -> None:
        self.place = place
        self.base = f"{place.root}/{version}"
        self._http = http
        self._made: list[str] = []
        client, adapter = graph_client(place.credential, place.root, version, limit=100)
        sender = Sender(adapter, SystemClock())
        self.gateway = GraphOrganizationGateway(client, sender, self.base)
        self.admin = GraphOrganizationAdmin(client, sender, place.root, version)

    @classmethod
    @asynccontextmanager
    async def at(cls, place: Place, version: str) -> AsyncIterator[Self]:
        async with httpx.AsyncClient(timeout=100) as http:
            live = cls(place, version, http)
            try:
                yield live
            finally:
                await live.leave()

    # Making things, by names that are recognised

    def name(self) -> str:
        return f"{self.place.prefix} {next(_NUMBERS)}"

    def domain(self) -> str:
        return f"n{next(_NUMBERS)}.{self.place.run_id}.{DOMAINS}"

    def body(self, source: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """The body of a create; for a domain of its own unless there is a source."""
        named = {"displayName": self.name(), **changes}
        return domain(self.domain(), **({"identitySources": [source]} if source else {}), **named)

    def partner_tenant(self) -> dict[str, Any]:
        """The identity source of the tenant that may be connected."""
        if self.place.partner_tenant is None:
            pytest.skip("CONNORG_LIVE_TENANT names no tenant that may be connected.")
        return tenant_source(self.place.partner_tenant)

    def sponsor(self) -> str:
        if self.place.sponsor is None:
            pytest.skip("CONNORG_LIVE_SPONSOR names no user who may be a sponsor.")
        return self.place.sponsor

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        answer = await self.gateway.create(request)
        if isinstance(answer, ConnectedOrganization):
            self._made.append(answer.id)
        return answer

    # Raw calls

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        token = await self.place.credential.get_token(f"{self.place.root}/.default")
        response = await self._http.request(
            method,
            f"{self.base}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token.token}"},
        )
        is_json = "json" in response.headers.get("content-type", "")
        answer = Answer(response.status_code, response.json() if is_json else response.text)
        if method == "POST" and path == ORGANIZATIONS and response.is_success:
            self._made.append(answer.body["id"])
        return answer

    # Leaving

    async def leave(self) -> None:
        """Delete what was made since the last time."""
        while self._made:
            await self.delete(self._made.pop())

    async def delete(self, organization_id: str) -> None:
        """Raise RuntimeError, with the id, when Graph doesn't."""
        answer = await self.call("DELETE", f"{ORGANIZATIONS}/{organization_id}")
        if answer.status not in {200, 202, 204, 404}:
            raise RuntimeError(f"{organization_id} was left behind: {answer}")

    async def leftovers(self, prefix: str) -> list[ConnectedOrganization]:
        """What Graph lists whose name begins so; also what was made and its answer lost."""
        found, address = [], f"{ORGANIZATIONS}?$top=100"
        while address:
            page = await self.call("GET", address)
            if page.status != httpx.codes.OK:
                raise RuntimeError(f"Graph lists nothing: {page}")
            found += [ConnectedOrganization.model_validate(item) for item in page.body["value"]]
            address = page.body.get("@odata.nextLink", "").removeprefix(f"{self.base}/")
        return [item for item in found if (item.display_name or "").startswith(prefix)]

    async def sweep(self, prefix: str) -> list[str]:
        """Delete all leftovers, and give their names."""
        left = await self.leftovers(prefix)
        for organization in left:
            await self.delete(organization.id)
        return [organization.display_name or organization.id for organization in left]

    async def eventually(self, holds: Callable[[], Awaitable[Any]]) -> None:
        """Wait for what Graph does in its own time. Raise TimeoutError after PATIENCE."""
        pause = 0.01 if self.place.emulated else 1.0
        async with asyncio.timeout(PATIENCE):
            while not await holds():  # noqa: ASYNC110  it is seen over HTTP, which has no event
                await asyncio.sleep(pause)


def domain_source(name: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": name}


def tenant_source(tenant_id: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.azureActiveDirectoryTenant", "tenantId": tenant_id}
