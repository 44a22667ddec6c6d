"""The Graphs that a gateway is tested against: a simulated one, and the emulator by the SDK."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestServer
from azure.identity.aio import ManagedIdentityCredential
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.identity_sources import DomainIdentitySource
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback
from connorg.core.ports import OrganizationGateway
from connorg.graph.admin import GraphOrganizationAdmin
from connorg.graph.client import graph_client
from connorg.graph.gateway import GraphOrganizationGateway
from connorg.graph.sender import Sender
from infra.local.identity import create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH
from tests.contract.graph_emulator import PARTNER_ID, EmulatedGraph, domain, emulated_graph
from tests.simulation.graph import FAULTS, Fault, Graph, SimulatedGateway

HOUR = 3600.0
TENANT_DOMAIN = "contoso.example"  # of PARTNER_ID
CAN_DO_ALL_BUT_LOOK_UP = ["EntitlementManagement.ReadWrite.All"]
LIMIT = 30.0  # seconds of one answer; nothing here waits that long


UNKNOWN_SPONSOR = "bbbbbbbb-0000-4000-8000-00000000dead"


class GraphUnderTest(Protocol):
    """A Graph, the gateway in front of it, and what a test can make of it."""

    gateway: OrganizationGateway

    async def list_after(self, seconds: float) -> None:
        """Let organizations be listed only so long after they were created."""
        ...

    async def forbid_lookup(self) -> None:
        """Take the permission to look tenants up."""
        ...

    async def fail(self, fault: str) -> OrganizationGateway:
        """Let each call from now on meet one of simulation.graph.FAULTS."""
        ...

    async def recover(self) -> None: ...


class SimulatedGraph:
    def __init__(self) -> None:
        self._now = datetime(2026, 11, 2, tzinfo=UTC)
        self._fault: Fault | None = None
        self._graph = Graph(lambda: self._now, lambda: 0.0)
        self._graph.tenant_of_domain[TENANT_DOMAIN] = PARTNER_ID
        self._graph.unknown_sponsors.add(UNKNOWN_SPONSOR)
        self.gateway: OrganizationGateway = SimulatedGateway(self._graph, self._exchange)

    async def list_after(self, seconds: float) -> None:
        for stored in self._graph.stored.values():
            created = stored.organization.created_date_time
            assert created is not None
            stored.listed_at = created + timedelta(seconds=seconds)

    async def forbid_lookup(self) -> None:
        self._graph.may_look_up_tenants = False

    async def fail(self, fault: str) -> OrganizationGateway:
        self._fault = FAULTS[fault]
        return self.gateway

    async def recover(self) -> None:
        self._fault = None

    async def _exchange[T](
        self, _what: str, _natural_key: str, act: Callable[[], T], /
    ) -> T | Setback:
        if self._fault is None:
            return act()
        if self._fault.commits:
            act()
        return self._fault.setback


# How the emulator shows what the simulated Graph does.
RULES: Mapping[str, dict[str, Any]] = {
    "throttled": {"fault": "throttle", "retryAfter": 7},
    "throttled without a time": {"fault": "status", "status": 429},
    "told to wait": {"fault": "status", "status": 503, "retryAfter": 7},
    "unavailable": {"fault": "status", "status": 503},
    "unavailable after commit": {"fault": "commit_then_status", "status": 500},
    "reset": {"fault": "reset"},
    "reset after commit": {"fault": "commit_then_reset"},
    "unreadable": {"fault": "commit_then_status", "status": 201},
    "request timeout": {"fault": "status", "status": 408},
    "busy": {"fault": "status", "status": 409, "retryAfter": 7},
    "locked": {"fault": "status", "status": 423, "retryAfter": 7},
    "token rejected": {"fault": "status", "status": 401},
    "refused": {"fault": "status", "status": 400},
}
CONFIGURED: Mapping[str, dict[str, Any]] = {
    "no permission": {"roles": []},
    "no licence": {"licensed": False},
}


class Emulator:
    def __init__(self, graph: EmulatedGraph, version: str) -> None:
        self.graph = graph
        self.version = version
        self.gateway: OrganizationGateway = self.at(graph.root)

    def at(self, root: str, limit: float = LIMIT) -> GraphOrganizationGateway:
        client, sender = self._connect(root, limit)
        return GraphOrganizationGateway(client, sender, f"{root}/{self.version}")

    def admin(self) -> GraphOrganizationAdmin:
        root = self.graph.root
        return GraphOrganizationAdmin(*self._connect(root, LIMIT), root, self.version)

    def _connect(self, root: str, limit: float) -> tuple[GraphServiceClient, Sender]:
        credential = ManagedIdentityCredential(retry_total=0)
        client, adapter = graph_client(credential, root, self.version, limit)
        return client, Sender(adapter, SystemClock())

    async def list_after(self, seconds: float) -> None:
        await self.graph.configure(consistencyDelaySeconds=seconds)

    async def forbid_lookup(self) -> None:
        await self.graph.configure(roles=CAN_DO_ALL_BUT_LOOK_UP)

    async def fail(self, fault: str) -> OrganizationGateway:
        if fault in RULES:
            await self.graph.fail(RULES[fault])
        elif fault in CONFIGURED:
            await self.graph.configure(**CONFIGURED[fault])
        elif fault == "unreachable":
            return self.at("http://127.0.0.1:9")  # the port of "discard": nobody listens
        elif fault == "no token":
            # The identity endpoint refuses whoever has not its header.
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("IDENTITY_HEADER", "wrong")
                return self.at(self.graph.root)
        return self.gateway

    async def recover(self) -> None:
        await self.graph.fail()
        await self.graph.configure(roles=None, licensed=True)

    async def requests(self, method: str | None = None) -> list[dict[str, Any]]:
        """What Graph was sent, in order; with a method, that alone."""
        sent: list[dict[str, Any]] = await self.graph.control("GET", "requests")
        return [request for request in sent if method in {None, request["method"]}]


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@asynccontextmanager
async def emulated(version: str) -> AsyncIterator[Emulator]:
    async with TestServer(create_app()) as identity, emulated_graph() as graph:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("IDENTITY_ENDPOINT", str(identity.make_url(TOKEN_PATH)))
            environment.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
            await graph.tenants()
            yield Emulator(graph, version)


def asking(body: dict[str, Any]) -> OnboardingRequest:
    return OnboardingRequest.model_validate(body)


def partner(**changes: Any) -> OnboardingRequest:
    return asking(domain(f"{uuid4().hex}.example", **changes))


async def created(
    gateway: OrganizationGateway, request: OnboardingRequest
) -> ConnectedOrganization:
    answer = await gateway.create(request)
    assert isinstance(answer, ConnectedOrganization)
    return answer


async def found(gateway: OrganizationGateway, request: OnboardingRequest) -> ConnectedOrganization:
    """What the core does: it learns of the tenant before it searches."""
    source, tenant, unknown = request.identity_source, None, False
    if isinstance(source, DomainIdentitySource):
        known = await gateway.tenant_of(source)
        tenant = known if isinstance(known, Tenant) else None
        unknown = isinstance(known, Blocked)
    answer = await gateway.find(request, tenant, tenant_unknown=unknown)
    assert isinstance(answer, ConnectedOrganization)
    return answer


def shown(setback: object) -> dict[str, Any]:
    """What the core goes by."""
    assert isinstance(setback, AlreadyConnected | Refused | Later | Blocked), setback
    marks = {name: getattr(setback, name, None) for name in ("ambiguous", "retry_after")}
    throttled = getattr(setback, "throttled", None)
    return {
        "kind": type(setback),
        "code": setback.error.code,
        "throttled": throttled,
        **marks,
    }
