"""The life of a connected organization, in the emulator or in a real tenant."""

from typing import Any
from uuid import uuid4

import pytest

from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Refused, SponsorSettled
from connorg.core.ports import OrganizationFilter, OrganizationPage
from tests.live.live import Live, domain_source, tenant_source

UNKNOWN = str(uuid4())


def asking(body: dict[str, Any]) -> OnboardingRequest:
    return OnboardingRequest.model_validate(body)


async def created(live: Live, request: OnboardingRequest) -> ConnectedOrganization:
    answer = await live.create(request)
    assert isinstance(answer, ConnectedOrganization), answer
    return answer


async def is_read(live: Live, organization: ConnectedOrganization) -> bool:
    return isinstance(await live.gateway.read(organization.id), ConnectedOrganization)


def source_of(live: Live, kind: str) -> dict[str, Any]:
    match kind:
        case "tenant":
            return live.partner_tenant()
        case "federation":
            name = live.domain()
            return {
                "@odata.type": "#microsoft.graph.externalDomainFederation",
                "domainName": name,
                "issuerUri": f"https://{name}/idp",
            }
        case _:
            return domain_source(live.domain())


@pytest.mark.parametrize("kind", ["domain", "federation", "tenant"])
async def test_an_organization_is_created_and_found_by_its_source(live: Live, kind: str) -> None:
    request = asking(live.body(source_of(live, kind)))
    organization = await created(live, request)
    assert organization.attributes == request.attributes

    async def is_found() -> bool:
        found = await live.gateway.find(request)
        assert found is None or isinstance(found, ConnectedOrganization), found
        return found is not None and found.id == organization.id

    await live.eventually(is_found)
    read = await live.gateway.read(organization.id)
    assert isinstance(read, ConnectedOrganization)
    (source,) = read.identity_sources
    asked = request.identity_source.model_dump(exclude_none=True)
    assert source.model_dump(exclude_none=True).items() >= asked.items()


@pytest.mark.parametrize("kind", ["domain", "tenant"])
async def test_a_second_one_is_refused_as_a_duplicate(live: Live, kind: str) -> None:
    source = source_of(live, kind)
    await created(live, asking(live.body(source)))
    assert isinstance(await live.create(asking(live.body(source))), AlreadyConnected)


async def test_an_organization_is_listed_by_each_filter(live: Live) -> None:
    name = live.domain()
    request = asking(live.body(domain_source(name), state="proposed"))
    organization = await created(live, request)
    for which in (
        OrganizationFilter(display_name=request.display_name),
        OrganizationFilter(display_name=request.display_name, state="proposed"),
        OrganizationFilter(domain_name=name),
    ):

        async def is_listed(which: OrganizationFilter = which) -> bool:
            page = await live.admin.list(which, 100, None)
            assert isinstance(page, OrganizationPage), page
            return [item.id for item in page.organizations] == [organization.id]

        await live.eventually(is_listed)


async def test_an_organization_is_changed(live: Live) -> None:
    organization = await created(live, asking(live.body()))
    await live.eventually(lambda: is_read(live, organization))
    wanted = asking(live.body(description="Another", state="proposed")).attributes
    updated = await live.gateway.update(organization, wanted)
    assert isinstance(updated, ConnectedOrganization), updated
    assert updated.attributes == wanted

    async def is_changed() -> bool:
        read = await live.gateway.read(organization.id)
        return isinstance(read, ConnectedOrganization) and read.attributes == wanted

    await live.eventually(is_changed)


async def test_a_deleted_organization_is_gone_and_can_be_created_again(live: Live) -> None:
    request = asking(live.body())
    organization = await created(live, request)
    await live.eventually(lambda: is_read(live, organization))
    assert await live.admin.delete(organization.id) is None

    async def is_gone() -> bool:
        read = await live.gateway.read(organization.id)
        return isinstance(read, Refused) and read.not_found

    await live.eventually(is_gone)
    assert (await created(live, request)).id != organization.id


async def test_what_is_unknown_is_not_found(live: Live) -> None:
    nobody = ConnectedOrganization(id=UNKNOWN)
    for answer in (
        await live.gateway.read(UNKNOWN),
        await live.gateway.update(nobody, asking(live.body()).attributes),
        await live.admin.delete(UNKNOWN),
    ):
        assert isinstance(answer, Refused), answer
        assert answer.not_found


async def test_sponsors_are_added_listed_and_removed(live: Live) -> None:
    sponsor = live.sponsor().lower()
    organization = await created(live, asking(live.body()))
    await live.eventually(lambda: is_read(live, organization))
    for kind in SponsorKind:
        for _ in range(2):  # it may be repeated
            asked = Sponsorship(kind=kind, sponsor=sponsor)
            settled = await live.gateway.add_sponsor(organization.id, asked)
            assert settled == SponsorSettled()
        await has_sponsors(live, organization.id, kind, [sponsor])
        removed = await live.admin.remove_sponsor(organization.id, kind, sponsor)
        assert removed is None
        await has_sponsors(live, organization.id, kind, [])


async def has_sponsors(
    live: Live, organization_id: str, kind: SponsorKind, expected: list[str]
) -> None:
    async def has() -> bool:
        held = await live.gateway.sponsors(organization_id, kind)
        assert isinstance(held, tuple), held
        return [item.id.lower() for item in held] == expected

    await live.eventually(has)


async def test_a_sponsor_who_does_not_exist_is_a_warning(live: Live) -> None:
    organization = await created(live, asking(live.body()))
    await live.eventually(lambda: is_read(live, organization))
    asked = Sponsorship(kind=SponsorKind.INTERNAL, sponsor=UNKNOWN)
    settled = await live.gateway.add_sponsor(organization.id, asked)
    assert isinstance(settled, SponsorSettled), settled
    assert settled.warning is not None
    assert UNKNOWN in settled.warning.message


async def test_tenants_are_looked_up(live: Live) -> None:
    if live.place.home_tenant is None:
        pytest.skip("CONNORG_HOME_TENANT does not name the tenant.")
    own = asking(live.body(tenant_source(live.place.home_tenant))).identity_source
    nobody = asking(live.body()).identity_source
    assert isinstance(own, AzureActiveDirectoryTenant)
    assert isinstance(nobody, DomainIdentitySource)
    known = await live.gateway.tenant_of(own)
    if isinstance(known, Blocked):
        pytest.skip("CrossTenantInformation.ReadBasic.All is not granted.")
    assert isinstance(known, Tenant), known
    assert known.tenant_id.lower() == own.tenant_id
    answer = await live.gateway.tenant_of(nobody)
    assert isinstance(answer, Refused), answer
    assert answer.not_found
