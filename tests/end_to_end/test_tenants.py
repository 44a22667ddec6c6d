"""The tenant behind a domain or a tenant id: looked up, told, and known by all of its names."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.client import Connorg, Json, Partner, problem

PERSONAL_ACCOUNTS = "9cd80435-793b-4f48-844b-6b3f37d1c1f3"
HOME = "11111111-1111-4111-8111-111111111111"  # the local stack's
ENOUGH_TO_CREATE = ["EntitlementManagement.ReadWrite.All"]


@pytest.fixture
def tenant_id() -> str:
    return str(uuid.uuid4())


def of_tenant(partner: Partner, tenant_id: str) -> Json:
    source = {
        "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
        "tenantId": tenant_id,
    }
    return partner.body(identitySources=[source])


async def test_the_result_tells_which_tenant_it_is(connorg: Connorg, tenant_id: str) -> None:
    partner = Partner()
    await connorg.graph.register(partner.domain, tenant_id)
    answer = await connorg.submit(partner.body())
    assert answer.status_code == 201
    told = {
        "tenantId": tenant_id,
        "displayName": partner.domain,
        "defaultDomainName": partner.domain,
    }
    assert answer.json()["result"]["tenant"] == told
    result = await connorg.call("GET", answer.headers["location"], key=False)
    assert result.json()["tenant"] == told


async def test_a_domain_without_tenant_is_connected_without_one(connorg: Connorg) -> None:
    answer = await connorg.submit(Partner().body())
    assert answer.status_code == 201
    assert "tenant" not in answer.json()["result"]


@pytest.mark.parametrize("domain_first", [True, False])
async def test_a_domain_and_its_tenant_are_one_organization(
    connorg: Connorg, tenant_id: str, *, domain_first: bool
) -> None:
    partner = Partner()
    await connorg.graph.register(partner.domain, tenant_id)
    bodies = [partner.body(), of_tenant(partner, tenant_id)]
    first, second = bodies if domain_first else bodies[::-1]
    created = await connorg.submit(first)
    again = await connorg.submit(second)
    assert (created.status_code, again.status_code) in {(201, 200), (201, 202)}
    ended = await connorg.ended(again.json()["id"])  # later where Graph's filters find nothing
    assert ended["conclusion"] == "existing"
    assert ended["result"]["id"] == created.json()["result"]["id"]
    sent = [call for call in await connorg.graph.requests() if call["method"] == "POST"]
    about = [call for call in sent if partner.domain in str(call["body"])]
    assert len(about) == 1, "Graph is not even asked to refuse the second"


async def test_a_domain_and_its_tenant_at_once_are_one_organization(
    connorg: Connorg, tenant_id: str
) -> None:
    """Whoever comes second waits for the first, even where Graph would not refuse it."""
    partner = Partner()
    await connorg.graph.register(partner.domain, tenant_id)
    await connorg.graph.fail_creates(partner, "delay", seconds=1)
    first = await connorg.accepted(partner.body(), prefer="wait=0")
    await connorg.graph.create_seen(partner)
    second = await connorg.submit(of_tenant(partner, tenant_id))
    assert second.json()["lastError"]["code"] == "TenantUnderWay"
    assert first in second.json()["lastError"]["message"]
    ids = [(await connorg.ended(o))["result"]["id"] for o in (first, second.json()["id"])]
    assert ids[0] == ids[1]
    assert len(await connorg.graph.creates(partner)) == 1


@pytest.mark.parametrize(
    ("tenant", "rule"), [(HOME, "homeTenant"), (PERSONAL_ACCOUNTS, "personalAccounts")]
)
async def test_a_tenant_that_is_no_partner_is_refused_by_its_id(
    connorg: Connorg, tenant: str, rule: str
) -> None:
    partner = Partner()
    told = problem(await connorg.submit(of_tenant(partner, tenant)), 422, "RefusedByPolicy")
    assert [(fault["rule"], fault["pointer"]) for fault in told["errors"]] == [
        (rule, "/identitySources/0")
    ]
    assert not await connorg.graph.calls(partner)
    assert not await connorg.listed(reference=partner.domain), "nothing is stored"


@pytest.mark.parametrize(
    ("tenant", "rule"), [(HOME, "homeTenant"), (PERSONAL_ACCOUNTS, "personalAccounts")]
)
async def test_a_tenant_that_is_no_partner_is_refused_by_its_domain(
    connorg: Connorg, tenant: str, rule: str
) -> None:
    partner = Partner()
    await connorg.graph.register(partner.domain, tenant)
    told = problem(await connorg.submit(partner.body()), 422, "RefusedByPolicy")
    assert rule in told["detail"]
    assert not await connorg.graph.creates(partner)


async def test_a_lookup_that_fails_is_made_again_before_anything_is_created(
    connorg: Connorg, tenant_id: str
) -> None:
    partner = Partner()
    await connorg.graph.register(partner.domain, tenant_id)
    lookup = {"method": "GET", "path": f"findTenant.*{partner.domain}"}
    await connorg.graph.fail({**lookup, "fault": "status", "status": 503, "times": 1})
    onboarding_id = await connorg.accepted(partner.body())
    assert not await connorg.graph.creates(partner)
    onboarding = await connorg.ended(onboarding_id)
    assert onboarding["result"]["tenant"]["tenantId"] == tenant_id
    assert len(await connorg.graph.creates(partner)) == 1


@pytest.fixture
async def least(frail: Connorg) -> AsyncIterator[Connorg]:
    """The app may create organizations and nothing else."""
    await frail.graph.configure(roles=ENOUGH_TO_CREATE)
    yield frail
    await frail.graph.configure(roles=None)
    await frail.let_time_pass_at_the_gate()


async def test_without_the_permission_a_create_is_one_call_and_health_says_what_is_missed(
    least: Connorg,
) -> None:
    first = await least.submit(Partner().body())
    partner = Partner()
    second = await least.submit(partner.body())
    assert (first.status_code, second.status_code) == (201, 201)
    [create] = await least.graph.requests_since(partner)
    assert (create["method"], create["status"]) == ("POST", 201)
    health = await least.health()
    [check] = [check for check in health["checks"] if check["name"] == "tenantLookup"]
    assert health["status"] == "healthy", "it does without"
    assert "Skipped" in check["detail"]
    assert "CrossTenantInformation.ReadBasic.All" in check["action"]


async def test_a_tenant_that_cannot_be_found_is_told_with_what_would_help(
    least: Connorg, tenant_id: str
) -> None:
    """Somebody connected the tenant under another name; Graph refuses its domain."""
    partner, domain = Partner(), Partner()
    await least.graph.register(domain.domain, tenant_id)
    await least.submit(of_tenant(partner, tenant_id))
    onboarding = await least.ended(await least.accepted(domain.body()))
    assert onboarding["status"] == "Failed"
    assert onboarding["lastError"]["code"] == "ConnectedButNotFound"
    assert "CrossTenantInformation.ReadBasic.All" in onboarding["lastError"]["action"]
