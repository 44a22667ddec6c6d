"""What every Directory promises: the simulated Graph, and the emulator through Microsoft's SDK."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Protocol
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestServer
from azure.identity.aio import ManagedIdentityCredential

from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import OnboardingRequest
from connorg.graph.client import graph_client
from connorg.graph.directory import GraphDirectory
from connorg.graph.sending import Sender
from connorg.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback
from connorg.ports import Directory
from infra.local.identity import LOCAL_IDENTITY_HEADER, TOKEN_PATH, create_app
from tests.contract.graph_emulator import (
    PARTNER_ID,
    EmulatedGraph,
    cross_cloud,
    domain,
    emulated_graph,
    federation,
    tenant,
)
from tests.simulation.graph import FAULTS, Fault, Graph, SimulatedDirectory

# Said by each of the SDK's request builders of its own class.
pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")

HOUR = 3600.0
TENANT_DOMAIN = "contoso.example"  # of PARTNER_ID
CAN_DO_ALL_BUT_LOOK_UP = ["EntitlementManagement.ReadWrite.All"]
LIMIT = 30.0  # seconds of one answer; nothing here waits that long


class GraphUnderTest(Protocol):
    """A Graph, the Directory in front of it, and what a test can make of it."""

    directory: Directory

    async def list_after(self, seconds: float) -> None:
        """Let organizations be listed only so long after they were created."""
        ...

    async def forbid_lookup(self) -> None:
        """Take the permission to look tenants up."""
        ...

    async def fail(self, fault: str) -> Directory:
        """Let each call from now on meet one of simulation.graph.FAULTS."""
        ...

    async def recover(self) -> None: ...


class SimulatedGraph:
    def __init__(self) -> None:
        self._now = datetime(2026, 11, 2, tzinfo=UTC)
        self._fault: Fault | None = None
        self._graph = Graph(lambda: self._now, lambda: 0.0)
        self._graph.tenant_of_domain[TENANT_DOMAIN] = PARTNER_ID
        self.directory: Directory = SimulatedDirectory(self._graph, self._exchange)

    async def list_after(self, seconds: float) -> None:
        for stored in self._graph.stored.values():
            created = stored.organization.created_date_time
            assert created is not None
            stored.listed_at = created + timedelta(seconds=seconds)

    async def forbid_lookup(self) -> None:
        self._graph.may_look_up_tenants = False

    async def fail(self, fault: str) -> Directory:
        self._fault = FAULTS[fault]
        return self.directory

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
        self._version = version
        self.directory: Directory = self.at(graph.root)

    def at(self, root: str, limit: float = LIMIT) -> GraphDirectory:
        credential = ManagedIdentityCredential(retry_total=0)
        client, adapter = graph_client(credential, root, self._version, limit)
        return GraphDirectory(client, Sender(adapter, SystemClock()), f"{root}/{self._version}")

    async def list_after(self, seconds: float) -> None:
        await self.graph.configure(consistencyDelaySeconds=seconds)

    async def forbid_lookup(self) -> None:
        await self.graph.configure(roles=CAN_DO_ALL_BUT_LOOK_UP)

    async def fail(self, fault: str) -> Directory:
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
        return self.directory

    async def recover(self) -> None:
        await self.graph.fail()

    async def patches(self) -> list[dict[str, Any]]:
        requests = await self.graph.control("GET", "requests")
        return [request["body"] for request in requests if request["method"] == "PATCH"]


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


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with emulated("v1.0") as emulator:
        yield emulator


@pytest.fixture(params=["simulated", "v1.0", "beta"])
async def under_test(request: pytest.FixtureRequest) -> AsyncIterator[GraphUnderTest]:
    if request.param == "simulated":
        yield SimulatedGraph()
        return
    async with emulated(request.param) as emulator:
        yield emulator


@pytest.fixture
def directory(under_test: GraphUnderTest) -> Directory:
    return under_test.directory


def asking(body: dict[str, Any]) -> OnboardingRequest:
    return OnboardingRequest.model_validate(body)


def partner(**changes: Any) -> OnboardingRequest:
    return asking(domain(f"{uuid4().hex}.example", **changes))


async def created(directory: Directory, request: OnboardingRequest) -> ConnectedOrganization:
    answer = await directory.create(request)
    assert isinstance(answer, ConnectedOrganization)
    return answer


async def found(directory: Directory, request: OnboardingRequest) -> ConnectedOrganization:
    answer = await directory.find(request)
    assert isinstance(answer, ConnectedOrganization)
    return answer


# Creating and finding

OF_EACH_TYPE = {
    "domain": domain("fabrikam.example"),
    "federation": federation("fabrikam.example"),
    "tenant": tenant(PARTNER_ID),
    "another cloud's tenant": cross_cloud(PARTNER_ID, "microsoftonline.us"),
}


@pytest.mark.parametrize("body", OF_EACH_TYPE.values(), ids=OF_EACH_TYPE)
async def test_what_was_created_is_found_by_its_identity_source(
    directory: Directory, body: dict[str, Any]
) -> None:
    request = asking(body)
    assert await directory.find(request) is None
    organization = await created(directory, request)
    assert organization.attributes == request.attributes
    assert organization.created_date_time is not None
    stored = await found(directory, request)
    assert stored.id == organization.id
    assert stored.attributes == request.attributes


async def test_identity_sources_of_two_types_are_two(directory: Directory) -> None:
    organizations = [await created(directory, asking(body)) for body in OF_EACH_TYPE.values()]
    assert len({organization.id for organization in organizations}) == len(OF_EACH_TYPE)
    for body, organization in zip(OF_EACH_TYPE.values(), organizations, strict=True):
        assert (await found(directory, asking(body))).id == organization.id


@pytest.mark.parametrize("body", OF_EACH_TYPE.values(), ids=OF_EACH_TYPE)
async def test_a_second_organization_is_refused(directory: Directory, body: dict[str, Any]) -> None:
    await created(directory, asking(body))
    another = asking({**body, "displayName": "Another name"})
    assert isinstance(await directory.create(another), AlreadyConnected)


async def test_a_duplicate_is_refused_before_the_first_is_listed(
    under_test: GraphUnderTest,
) -> None:
    request = partner()
    await created(under_test.directory, request)
    await under_test.list_after(HOUR)
    assert await under_test.directory.find(request) is None
    assert isinstance(await under_test.directory.create(request), AlreadyConnected)
    await under_test.list_after(0)
    await found(under_test.directory, request)


# Domains that belong to a tenant


async def test_a_domain_of_a_tenant_is_the_tenants_organization(directory: Directory) -> None:
    organization = await created(directory, asking(domain(TENANT_DOMAIN)))
    stored = await found(directory, asking(domain(TENANT_DOMAIN)))
    assert stored.id == organization.id
    assert [source.tenant_id for source in stored.identity_sources] == [PARTNER_ID]
    assert isinstance(await directory.create(asking(tenant(PARTNER_ID))), AlreadyConnected)
    assert (await found(directory, asking(tenant(PARTNER_ID)))).id == organization.id


async def test_a_domain_is_found_where_its_tenant_was_connected_before(
    directory: Directory,
) -> None:
    organization = await created(directory, asking(tenant(PARTNER_ID)))
    request = asking(domain(TENANT_DOMAIN))
    assert isinstance(await directory.create(request), AlreadyConnected)
    assert (await found(directory, request)).id == organization.id


async def test_without_the_right_to_look_tenants_up_a_namesake_is_found(
    under_test: GraphUnderTest,
) -> None:
    await under_test.forbid_lookup()
    request = asking(domain(TENANT_DOMAIN))
    organization = await created(under_test.directory, request)
    assert (await found(under_test.directory, request)).id == organization.id
    other = asking(domain(TENANT_DOMAIN, description="Not the same partner, it seems"))
    assert await under_test.directory.find(other) is None


# Updating


async def test_an_update_gives_the_organization_the_attributes_asked_for(
    directory: Directory,
) -> None:
    before = partner()
    organization = await created(directory, before)
    for changes in (
        {"displayName": "It's another"},
        {"description": "Another description", "state": "proposed"},
        {"displayName": "Both", "description": "of them"},
    ):
        body = before.model_dump(mode="json", exclude_none=True)
        after = asking({**body, **changes})
        updated = await directory.update(organization, after.attributes)
        assert isinstance(updated, ConnectedOrganization)
        assert updated.id == organization.id
        assert updated.attributes == after.attributes
        assert (await found(directory, after)).attributes == after.attributes
        organization = updated


async def test_an_organization_that_is_gone_cannot_be_updated(directory: Directory) -> None:
    organization = await created(directory, partner())
    gone = organization.model_copy(update={"id": str(uuid4())})
    answer = await directory.update(gone, partner(displayName="Another").attributes)
    assert isinstance(answer, Refused)


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_update_sends_what_differs_alone(emulator: Emulator, status: int) -> None:
    await emulator.graph.configure(patchStatus=status)
    request = partner()
    organization = await created(emulator.directory, request)
    changed = request.model_copy(update={"description": "Another"})
    await emulator.directory.update(organization, changed.attributes)
    (sent,) = await emulator.patches()
    sent.pop("@odata.type", None)
    assert sent == {"description": "Another"}


# Failing


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


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_create_tells_what_is_known_of_its_fate(
    under_test: GraphUnderTest, fault: str
) -> None:
    request = partner()
    failing = await under_test.fail(fault)
    assert shown(await failing.create(request)) == shown(FAULTS[fault].setback)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_search_is_no_answer(under_test: GraphUnderTest, fault: str) -> None:
    failing = await under_test.fail(fault)
    assert shown(await failing.find(partner())) == shown(FAULTS[fault].setback)


# A PATCH that succeeded is not read, so it can't be unreadable.
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "unreadable"])
async def test_a_failed_update_is_a_setback(under_test: GraphUnderTest, fault: str) -> None:
    request = partner()
    organization = await created(under_test.directory, request)
    failing = await under_test.fail(fault)
    answer = await failing.update(organization, partner(displayName="Another").attributes)
    assert shown(answer) == shown(FAULTS[fault].setback)


# Where a permission or licence is missing, the search would be refused as well.
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in CONFIGURED])
async def test_a_create_that_failed_was_carried_out_or_not(
    under_test: GraphUnderTest, fault: str
) -> None:
    request = partner()
    await (await under_test.fail(fault)).create(request)
    await under_test.recover()
    stored = await under_test.directory.find(request)
    assert (stored is not None) == FAULTS[fault].commits


# Each row of connorg.graph.setbacks, as the SDK shows it

IN_A_MINUTE = "in a minute"
ROWS: Mapping[str, tuple[dict[str, Any], type, str, dict[str, Any]]] = {
    "400": ({"status": 400}, Refused, "RefusedByGraph", {}),
    "404": ({"status": 404}, Refused, "RefusedByGraph", {}),
    "422": ({"status": 422}, Refused, "RefusedByGraph", {}),
    "401": ({"status": 401}, Blocked, "TokenRejected", {}),
    "403": ({"status": 403, "code": "UnAuthorized"}, Blocked, "PermissionMissing", {}),
    "403 of the directory": (
        {"status": 403, "code": "Authorization_RequestDenied"},
        Blocked,
        "PermissionMissing",
        {},
    ),
    "403 for the licence": ({"status": 403, "code": "NoLicense"}, Blocked, "LicenseMissing", {}),
    "408": ({"status": 408}, Later, "GraphBusy", {"ambiguous": True}),
    "409": ({"status": 409}, Later, "GraphBusy", {"ambiguous": False}),
    "412": ({"status": 412}, Later, "GraphBusy", {"ambiguous": False}),
    "423": ({"status": 423, "retryAfter": 3}, Later, "GraphBusy", {"retry_after": 3}),
    "429": ({"status": 429}, Later, "GraphThrottled", {"throttled": True, "retry_after": None}),
    "429 with a float": (
        {"status": 429, "retryAfter": 2.5},
        Later,
        "GraphThrottled",
        {"throttled": True, "retry_after": 2.5, "ambiguous": False},
    ),
    "429 with a date": (
        {"status": 429, "retryAfter": IN_A_MINUTE},
        Later,
        "GraphThrottled",
        {"throttled": True, "retry_after": pytest.approx(60, abs=30)},
    ),
    "429 with nonsense": (
        {"status": 429, "retryAfter": "soon"},
        Later,
        "GraphThrottled",
        {"throttled": True, "retry_after": None},
    ),
    "500": ({"status": 500}, Later, "GraphUnavailable", {"ambiguous": True, "throttled": False}),
    "502 as a page": (
        {"fault": "html", "status": 502},
        Later,
        "GraphUnavailable",
        {"ambiguous": True},
    ),
    "503 with a time": (
        {"status": 503, "retryAfter": 9},
        Later,
        "GraphUnavailable",
        {"ambiguous": True, "throttled": True, "retry_after": 9},
    ),
    "504": ({"status": 504}, Later, "GraphUnavailable", {"ambiguous": True}),
    "201 as a page": (
        {"fault": "html", "status": 201},
        Later,
        "GraphAnswerUnreadable",
        {"ambiguous": True},
    ),
    "closed": ({"fault": "close"}, Later, "GraphConnectionLost", {"ambiguous": True}),
    "reset": ({"fault": "reset"}, Later, "GraphConnectionLost", {"ambiguous": True}),
    **{
        f"{status} {code}": (
            {"status": status, "code": code},
            AlreadyConnected,
            "AlreadyConnected",
            {},
        )
        for status in (400, 409, 500)
        for code in ("ConnectedOrganizationAlreadyExists", "IdentityProviderAlreadyConfigured")
    },
}


@pytest.mark.parametrize(("rule", "kind", "code", "marks"), ROWS.values(), ids=ROWS)
async def test_every_answer_of_graph_has_its_meaning(
    emulator: Emulator, rule: dict[str, Any], kind: type, code: str, marks: dict[str, Any]
) -> None:
    if rule.get("retryAfter") == IN_A_MINUTE:
        moment = datetime.now(UTC) + timedelta(minutes=1)
        rule = {**rule, "retryAfter": format_datetime(moment, usegmt=True)}
    await emulator.graph.fail({"fault": "status", "method": "POST", **rule})
    answer = await emulator.directory.create(partner())
    assert isinstance(answer, kind)
    assert isinstance(answer, AlreadyConnected | Refused | Later | Blocked)
    assert answer.error.code == code
    assert {name: getattr(answer, name) for name in marks} == marks


async def test_an_answer_that_never_comes_is_ambiguous(emulator: Emulator) -> None:
    await emulator.graph.fail({"fault": "hang"})
    answer = await emulator.at(emulator.graph.root, limit=0.2).create(partner())
    assert isinstance(answer, Later)
    assert (answer.error.code, answer.ambiguous) == ("GraphTimeout", True)


async def test_an_error_tells_graphs_own_code_and_request_id(emulator: Emulator) -> None:
    await emulator.graph.fail({"fault": "status", "status": 400, "code": "Peculiar"})
    answer = await emulator.directory.create(partner())
    assert isinstance(answer, Refused)
    assert answer.error.graph_code == "Peculiar"
    assert answer.error.graph_request_id


async def test_graph_is_never_called_a_second_time_by_the_sdk(emulator: Emulator) -> None:
    for status in (429, 503, 504):
        await emulator.graph.fail({"fault": "status", "status": status, "retryAfter": 0})
        await emulator.directory.create(partner())
    requests = await emulator.graph.control("GET", "requests")
    assert [request["status"] for request in requests] == [429, 503, 504]
