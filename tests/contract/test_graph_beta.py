"""Each operation once on Graph's beta: the other tests of gateway and admin are on v1.0."""

from collections.abc import AsyncIterator

import pytest

from connorg.contract.identity_sources import DomainIdentitySource
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain.outcomes import SponsorSettled
from connorg.core.ports import OrganizationFilter, OrganizationPage
from tests.contract.graph_emulator import PARTNER_ID, USER, domain
from tests.contract.graphs import (
    TENANT_DOMAIN,
    Emulator,
    asking,
    created,
    emulated,
    found,
    partner,
    shown,
)
from tests.simulation.graph import FAULTS

SPONSOR = Sponsorship(kind=SponsorKind.INTERNAL, sponsor=USER["id"])


@pytest.fixture
async def beta() -> AsyncIterator[Emulator]:
    async with emulated("beta") as emulator:
        yield emulator
        assert {sent["version"] for sent in await emulator.requests()} == {"beta"}


async def test_create_and_find(beta: Emulator) -> None:
    request = partner()
    organization = await created(beta.gateway, request)
    assert organization.attributes == request.attributes
    assert (await found(beta.gateway, request)).id == organization.id


async def test_read(beta: Emulator) -> None:
    organization = await created(beta.gateway, asking(domain(TENANT_DOMAIN)))
    read = await beta.gateway.read(organization.id)
    assert isinstance(read, ConnectedOrganization)
    assert [source.tenant_id for source in read.identity_sources] == [PARTNER_ID]


async def test_update(beta: Emulator) -> None:
    changed = partner(displayName="Another").attributes
    updated = await beta.gateway.update(await created(beta.gateway, partner()), changed)
    assert isinstance(updated, ConnectedOrganization)
    assert updated.attributes == changed


async def test_look_a_tenant_up(beta: Emulator) -> None:
    source = asking(domain(TENANT_DOMAIN)).identity_source
    assert isinstance(source, DomainIdentitySource)
    known = await beta.gateway.tenant_of(source)
    assert isinstance(known, Tenant)
    assert known.tenant_id == PARTNER_ID


async def test_add_list_and_remove_a_sponsor(beta: Emulator) -> None:
    organization = await created(beta.gateway, partner())
    assert await beta.gateway.add_sponsor(organization.id, SPONSOR) == SponsorSettled()
    _, sent = await beta.requests("POST")
    assert sent["body"]["@odata.id"] == f"{beta.graph.root}/beta/users/{USER['id']}"
    held = await beta.gateway.sponsors(organization.id, SPONSOR.kind)
    assert isinstance(held, tuple)
    assert [sponsor.id for sponsor in held] == [USER["id"]]
    removal = organization.id, SPONSOR.kind, USER["id"]
    assert await beta.admin().remove_sponsor(*removal) is None
    assert await beta.gateway.sponsors(organization.id, SPONSOR.kind) == ()


async def test_list_page_by_page(beta: Emulator) -> None:
    for name in ("first", "second"):
        await created(beta.gateway, partner(displayName=name))
    first = await beta.admin().list(OrganizationFilter(), 1, None)
    assert isinstance(first, OrganizationPage)
    second = await beta.admin().list(OrganizationFilter(), 1, first.continuation)
    assert isinstance(second, OrganizationPage)
    names = [one.display_name for page in (first, second) for one in page.organizations]
    assert names == ["first", "second"]


async def test_delete(beta: Emulator) -> None:
    organization = await created(beta.gateway, partner())
    assert await beta.admin().delete(organization.id) is None
    assert await beta.graph.control("GET", "organizations") == []


async def test_set_on_a_subject(beta: Emulator) -> None:
    organization = await created(beta.gateway, partner())
    assert await beta.admin().add_to_subject("r", "s", domain("a.example")) is None
    assert await beta.admin().set_on_subject("r", "s", organization.id) is None


async def test_a_fault(beta: Emulator) -> None:
    await beta.fail("throttled")
    assert shown(await beta.gateway.create(partner())) == shown(FAULTS["throttled"].setback)
