"""What every gateway promises: the simulated Graph, and the emulator through Microsoft's SDK."""

from typing import Any
from uuid import uuid4

import pytest

from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Refused
from connorg.core.ports import OrganizationGateway
from tests.contract.graph_emulator import PARTNER_ID, cross_cloud, domain, federation, tenant
from tests.contract.graphs import (
    HOUR,
    TENANT_DOMAIN,
    Emulator,
    GraphUnderTest,
    asking,
    created,
    found,
    partner,
)

# Creating and finding

OF_EACH_TYPE = {
    "domain": domain("fabrikam.example"),
    "federation": federation("fabrikam.example", displayName="Fabrikam by federation"),
    "tenant": tenant(PARTNER_ID),
    "another cloud's tenant": cross_cloud(
        PARTNER_ID, "microsoftonline.us", displayName="Elsewhere"
    ),
}


@pytest.mark.parametrize("body", OF_EACH_TYPE.values(), ids=OF_EACH_TYPE)
async def test_what_was_created_is_found_by_its_identity_source(
    gateway: OrganizationGateway, body: dict[str, Any]
) -> None:
    request = asking(body)
    assert await gateway.find(request) is None
    organization = await created(gateway, request)
    assert organization.attributes == request.attributes
    assert organization.created_date_time is not None
    stored = await found(gateway, request)
    assert stored.id == organization.id
    assert stored.attributes == request.attributes


async def test_identity_sources_of_two_types_are_two(gateway: OrganizationGateway) -> None:
    organizations = [await created(gateway, asking(body)) for body in OF_EACH_TYPE.values()]
    assert len({organization.id for organization in organizations}) == len(OF_EACH_TYPE)
    for body, organization in zip(OF_EACH_TYPE.values(), organizations, strict=True):
        assert (await found(gateway, asking(body))).id == organization.id


@pytest.mark.parametrize("body", OF_EACH_TYPE.values(), ids=OF_EACH_TYPE)
async def test_a_second_organization_is_refused(
    gateway: OrganizationGateway, body: dict[str, Any]
) -> None:
    await created(gateway, asking(body))
    another = asking({**body, "displayName": "Another name"})
    assert isinstance(await gateway.create(another), AlreadyConnected)


async def test_a_duplicate_is_refused_before_the_first_is_listed(
    under_test: GraphUnderTest,
) -> None:
    request = partner()
    await created(under_test.gateway, request)
    await under_test.list_after(HOUR)
    assert await under_test.gateway.find(request) is None
    assert isinstance(await under_test.gateway.create(request), AlreadyConnected)
    await under_test.list_after(0)
    await found(under_test.gateway, request)


# Reading


SOURCES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "domain": (OF_EACH_TYPE["domain"], {"domain_name": "fabrikam.example"}),
    "domain of a tenant": (domain(TENANT_DOMAIN), {"tenant_id": PARTNER_ID}),
    "federation": (OF_EACH_TYPE["federation"], {"domain_name": "fabrikam.example"}),
    "tenant": (OF_EACH_TYPE["tenant"], {"tenant_id": PARTNER_ID}),
    "another cloud's tenant": (
        OF_EACH_TYPE["another cloud's tenant"],
        {"tenant_id": PARTNER_ID, "cloud_instance": "microsoftonline.us"},
    ),
}


@pytest.mark.parametrize(("body", "stored"), SOURCES.values(), ids=SOURCES)
async def test_the_identity_source_is_read_as_graph_resolved_it(
    gateway: OrganizationGateway, body: dict[str, Any], stored: dict[str, str]
) -> None:
    organization = await created(gateway, asking(body))
    assert organization.identity_sources == ()
    read = await gateway.read(organization.id)
    assert isinstance(read, ConnectedOrganization)
    assert (read.id, read.attributes) == (organization.id, asking(body).attributes)
    (source,) = read.identity_sources
    names = ("domain_name", "tenant_id", "cloud_instance")
    assert {name: getattr(source, name) for name in names if getattr(source, name)} == stored


async def test_an_organization_that_is_gone_is_not_found(gateway: OrganizationGateway) -> None:
    answer = await gateway.read(str(uuid4()))
    assert isinstance(answer, Refused)
    assert answer.not_found


# Tenants


def a_domain(name: str) -> DomainIdentitySource:
    source = asking(domain(name)).identity_source
    assert isinstance(source, DomainIdentitySource)
    return source


def a_tenant(tenant_id: str) -> AzureActiveDirectoryTenant:
    source = asking(tenant(tenant_id)).identity_source
    assert isinstance(source, AzureActiveDirectoryTenant)
    return source


async def test_a_tenant_is_looked_up_by_its_domain_and_its_id(gateway: OrganizationGateway) -> None:
    for source in (a_domain(TENANT_DOMAIN), a_tenant(PARTNER_ID)):
        known = await gateway.tenant_of(source)
        assert isinstance(known, Tenant)
        assert known.tenant_id == PARTNER_ID


async def test_the_lookup_tells_the_tenants_names(emulator: Emulator) -> None:
    known = await emulator.gateway.tenant_of(a_domain("contoso.test"))
    assert isinstance(known, Tenant)
    assert (known.display_name, known.default_domain_name) == ("Contoso", "contoso.example")


async def test_nobody_is_behind_an_unknown_domain_or_id(gateway: OrganizationGateway) -> None:
    for source in (a_domain("nobody.example"), a_tenant(str(uuid4()))):
        answer = await gateway.tenant_of(source)
        assert isinstance(answer, Refused)
        assert answer.not_found


async def test_a_lookup_needs_its_permission(under_test: GraphUnderTest) -> None:
    await under_test.forbid_lookup()
    answer = await under_test.gateway.tenant_of(a_domain(TENANT_DOMAIN))
    assert isinstance(answer, Blocked)
    assert answer.error.code == "PermissionMissing"


async def test_a_domain_is_found_by_the_tenant_that_is_known_behind_it(
    under_test: GraphUnderTest,
) -> None:
    """Also where the right to look it up is gone since, and nothing else tells them the same."""
    organization = await created(under_test.gateway, asking(tenant(PARTNER_ID)))
    await under_test.forbid_lookup()
    request = asking(domain(TENANT_DOMAIN))
    assert await under_test.gateway.find(request) is None
    answer = await under_test.gateway.find(request, Tenant(tenant_id=PARTNER_ID))
    assert isinstance(answer, ConnectedOrganization)
    assert answer.id == organization.id


async def test_a_known_tenant_is_not_looked_up_again(emulator: Emulator) -> None:
    await emulator.gateway.find(asking(domain(TENANT_DOMAIN)), Tenant(tenant_id=PARTNER_ID))
    assert not [sent for sent in await emulator.requests() if "findTenant" in sent["path"]]


# Domains that belong to a tenant


async def test_a_domain_of_a_tenant_is_the_tenants_organization(
    gateway: OrganizationGateway,
) -> None:
    organization = await created(gateway, asking(domain(TENANT_DOMAIN)))
    stored = await found(gateway, asking(domain(TENANT_DOMAIN)))
    assert stored.id == organization.id
    assert [source.tenant_id for source in stored.identity_sources] == [PARTNER_ID]
    assert isinstance(await gateway.create(asking(tenant(PARTNER_ID))), AlreadyConnected)
    assert (await found(gateway, asking(tenant(PARTNER_ID)))).id == organization.id


async def test_a_domain_is_found_where_its_tenant_was_connected_before(
    gateway: OrganizationGateway,
) -> None:
    organization = await created(gateway, asking(tenant(PARTNER_ID)))
    request = asking(domain(TENANT_DOMAIN))
    assert isinstance(await gateway.create(request), AlreadyConnected)
    assert (await found(gateway, request)).id == organization.id


async def test_without_the_right_to_look_tenants_up_a_namesake_is_found(
    under_test: GraphUnderTest,
) -> None:
    await under_test.forbid_lookup()
    request = asking(domain(TENANT_DOMAIN))
    organization = await created(under_test.gateway, request)
    assert (await found(under_test.gateway, request)).id == organization.id
    other = asking(domain(TENANT_DOMAIN, description="Not the same partner, it seems"))
    assert not isinstance(
        await under_test.gateway.find(other, tenant_unknown=True), ConnectedOrganization
    )


# Updating


async def test_an_update_gives_the_organization_the_attributes_asked_for(
    gateway: OrganizationGateway,
) -> None:
    before = partner()
    organization = await created(gateway, before)
    for changes in (
        {"displayName": "It's another"},
        {"description": "Another description", "state": "proposed"},
        {"displayName": "Both", "description": "of them"},
    ):
        body = before.model_dump(mode="json", exclude_none=True)
        after = asking({**body, **changes})
        updated = await gateway.update(organization, after.attributes)
        assert isinstance(updated, ConnectedOrganization)
        assert updated.id == organization.id
        assert updated.attributes == after.attributes
        assert (await found(gateway, after)).attributes == after.attributes
        organization = updated


async def test_an_organization_that_is_gone_cannot_be_updated(gateway: OrganizationGateway) -> None:
    organization = await created(gateway, partner())
    gone = organization.model_copy(update={"id": str(uuid4())})
    answer = await gateway.update(gone, partner(displayName="Another").attributes)
    assert isinstance(answer, Refused)


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_update_sends_what_differs_alone(emulator: Emulator, status: int) -> None:
    await emulator.graph.configure(patchStatus=status)
    request = partner()
    organization = await created(emulator.gateway, request)
    changed = request.model_copy(update={"description": "Another"})
    await emulator.gateway.update(organization, changed.attributes)
    (sent,) = await emulator.requests("PATCH")
    sent["body"].pop("@odata.type", None)
    assert sent["body"] == {"description": "Another"}
