"""What the organization admin promises, against the emulator through Microsoft's SDK."""

import base64
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain.outcomes import Later, Refused
from connorg.core.ports import OrganizationFilter, OrganizationPage
from connorg.graph.admin import GraphOrganizationAdmin
from tests.contract.graph_emulator import (
    GROUP,
    PARTNER_ID,
    USER,
    cross_cloud,
    domain,
    federation,
    tenant,
)
from tests.contract.graphs import Emulator, created, emulated, partner, shown
from tests.dialects import DIALECTS
from tests.simulation.graph import FAULTS

ENTITLEMENTS = "identityGovernance/entitlementManagement"
SUBJECT = (
    f"/beta/{ENTITLEMENTS}/accessPackageAssignmentRequests/r-1"
    "/accessPackageAssignment/accessPackageAssignmentResourceRoles/r_2"
    "/accessPackageSubject/connectedOrganization/$ref"
)
ALL = OrganizationFilter()


@pytest.fixture
def admin(emulator: Emulator) -> GraphOrganizationAdmin:
    return emulator.admin()


async def a_page(
    admin: GraphOrganizationAdmin,
    which: OrganizationFilter = ALL,
    top: int = 100,
    continuation: str | None = None,
) -> OrganizationPage:
    page = await admin.list(which, top, continuation)
    assert isinstance(page, OrganizationPage)
    return page


def names_on(page: OrganizationPage) -> list[str | None]:
    return [organization.display_name for organization in page.organizations]


# Listing

FILTERS = {
    "none": (ALL, {"It's & that", "proposed", "tenant", "cross-cloud", "federation"}),
    "display name": (OrganizationFilter(display_name="It's & that"), {"It's & that"}),
    "state": (OrganizationFilter(state="proposed"), {"proposed"}),
    "domain": (OrganizationFilter(domain_name="a.example"), {"It's & that"}),
    "tenant": (OrganizationFilter(tenant_id=PARTNER_ID), {"tenant"}),
    "both of two": (
        OrganizationFilter(display_name="proposed", state="proposed", domain_name="b.example"),
        {"proposed"},
    ),
    "one of two": (OrganizationFilter(display_name="tenant", state="proposed"), set()),
    "nobody": (OrganizationFilter(domain_name="' or state eq 'proposed"), set()),
}


@pytest.mark.parametrize(
    "dialect",
    ["as usual", *(pytest.param(dialect, marks=pytest.mark.slow) for dialect in DIALECTS)],
)
@pytest.mark.parametrize(("which", "expected"), FILTERS.values(), ids=FILTERS)
async def test_a_list_holds_what_its_filter_lets_through(
    emulator: Emulator,
    admin: GraphOrganizationAdmin,
    dialect: str,
    which: OrganizationFilter,
    expected: set[str],
) -> None:
    """Whatever Graph makes of the filter, and however it cuts its pages."""
    await emulator.graph.configure(**DIALECTS.get(dialect, {}))
    for body in (
        domain("a.example", displayName="It's & that"),
        domain("b.example", displayName="proposed", state="proposed"),
        tenant(PARTNER_ID, displayName="tenant"),
        cross_cloud(PARTNER_ID, "microsoftonline.us", displayName="cross-cloud"),
        federation("a.example", displayName="federation"),
    ):
        await emulator.graph.create(body)
    found, continuation = [], None
    while True:
        page = await a_page(admin, which, top=1, continuation=continuation)
        found += names_on(page)
        if (continuation := page.continuation) is None:
            break
    assert sorted(map(str, found)) == sorted(expected)


@pytest.mark.parametrize("which", [ALL, OrganizationFilter(state="configured")])
async def test_pages_are_followed_to_the_end(
    emulator: Emulator, admin: GraphOrganizationAdmin, which: OrganizationFilter
) -> None:
    names = [f"{number}.example" for number in range(250)]
    for name in names:
        await emulator.graph.create(domain(name))
    pages = [await a_page(admin, which)]
    while pages[-1].continuation:
        pages.append(await a_page(admin, which, continuation=pages[-1].continuation))
    assert [len(page.organizations) for page in pages] == [100, 100, 50]
    assert [name for page in pages for name in names_on(page)] == names


async def test_a_listed_organization_has_its_identity_source(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    await emulator.graph.create(domain("contoso.test"))
    (organization,) = (await a_page(admin)).organizations
    assert [source.tenant_id for source in organization.identity_sources] == [PARTNER_ID]
    assert organization.created_date_time is not None


def token(query: str) -> str:
    return base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")


FORGED = {
    "empty": "",
    "nonsense": "nonsense",
    "not base64": "%%%",
    "not ascii": "ü",
    "bytes": base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
    "a control character": token("$top=1\x00"),
    "a line break": token("$top=1\r\nHost: evil.example"),
    "a fragment": token("$top=1#/../../users"),
    "another path": token("/../../../users?$top=1"),
    "another host": token("@evil.example/?$top=1"),
    "a whole address": token("https://evil.example/v1.0/users"),
    "blanks": token("$filter=displayName eq 'x y'"),
    "a broken escape": token("$top=%"),
    "very long": token("a" * 70_000),
    "a skip token of its own": token("$skiptoken=1"),
    "another page size": token("$top=5"),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_a_forged_continuation_reaches_nothing_else(
    emulator: Emulator, admin: GraphOrganizationAdmin, forged: str
) -> None:
    await emulator.graph.create(domain("a.example"))
    before = len(await emulator.requests())
    assert isinstance(await admin.list(ALL, 100, forged), Refused)
    assert len(await emulator.requests()) == before


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(forged=st.text(max_size=60) | st.text(st.characters(codec="ascii")).map(token))
async def test_no_continuation_at_all_raises(admin: GraphOrganizationAdmin, forged: str) -> None:
    page = await admin.list(ALL, 100, forged)
    assert isinstance(page, OrganizationPage | Refused)


# Deleting


async def test_a_deleted_organization_is_gone(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    request = partner()
    organization = await created(emulator.gateway, request)
    assert await admin.delete(organization.id) is None
    assert await emulator.graph.control("GET", "organizations") == []
    (sent,) = await emulator.requests("DELETE")
    path = f"/{emulator.version}/{ENTITLEMENTS}/connectedOrganizations/{organization.id}"
    assert (sent["path"], sent["status"]) == (path, 204)
    await created(emulator.gateway, request)


async def test_an_unknown_organization_is_not_found(admin: GraphOrganizationAdmin) -> None:
    answer = await admin.delete(str(uuid4()))
    assert isinstance(answer, Refused)
    assert answer.not_found


async def test_a_sponsor_is_removed_by_object_id(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    organization = await created(emulator.gateway, partner())
    for sponsor in (USER["id"], GROUP["id"]):
        asked = Sponsorship(kind=SponsorKind.EXTERNAL, sponsor=sponsor)
        await emulator.gateway.add_sponsor(organization.id, asked)
    removal = organization.id, SponsorKind.EXTERNAL, USER["id"]
    assert await admin.remove_sponsor(*removal) is None
    (stored,) = await emulator.graph.control("GET", "organizations")
    assert stored["externalSponsors"] == [GROUP["id"]]
    again = await admin.remove_sponsor(*removal)
    assert isinstance(again, Refused)
    assert again.not_found


# The subject of an access package's assignment, which is beta's whatever the app's version

# As on the page "Add connectedOrganization".
EXAMPLE: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.connectedOrganization",
    "displayName": "String",
    "description": "String",
    "createdBy": "String",
    "modifiedBy": "String",
    "identitySources": [{"@odata.type": "microsoft.graph.identitySource"}],
    "state": "configured",
}


async def test_a_subject_is_sent_the_organization_as_it_is_given(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    assert await admin.add_to_subject("r-1", "r_2", EXAMPLE) is None
    (sent,) = await emulator.requests()
    assert (sent["method"], sent["path"], sent["status"]) == ("POST", SUBJECT, 204)
    assert sent["body"] == EXAMPLE


async def test_a_subject_is_sent_a_reference_to_the_organization(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    organization = await created(emulator.gateway, partner())
    assert await admin.set_on_subject("r-1", "r_2", organization.id) is None
    (sent,) = await emulator.requests("PUT")
    assert (sent["path"], sent["status"]) == (SUBJECT, 204)
    address = f"{emulator.graph.root}/beta/{ENTITLEMENTS}/connectedOrganizations/{organization.id}"
    assert sent["body"] == {"@odata.id": address}


async def test_a_subject_is_not_given_an_organization_that_is_gone(
    admin: GraphOrganizationAdmin,
) -> None:
    answer = await admin.set_on_subject("r-1", "r_2", str(uuid4()))
    assert isinstance(answer, Refused)
    assert answer.not_found


@pytest.mark.parametrize("odd", ["a/b", "a?b", "a#b", "a b", "a%2Fb"])
async def test_an_odd_id_stays_one_segment_of_the_path(
    emulator: Emulator, admin: GraphOrganizationAdmin, odd: str
) -> None:
    await admin.add_to_subject(odd, odd, EXAMPLE)
    await admin.set_on_subject(odd, odd, "1")
    for sent in await emulator.requests():
        # The log is decoded once; `a%2Fb` was sent as `a%252Fb`.
        assert sent["path"] == SUBJECT.replace("r-1", odd).replace("r_2", odd)


# Failing


# A change that succeeded is not read, so it can't be unreadable. Whether there is a connection is
# the Sender's matter, which the gateway's tests show.
NOT_OURS = {"unreadable", "unreachable", "no token"}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in NOT_OURS])
async def test_what_fails_is_a_setback(fault: str) -> None:
    async with emulated("v1.0") as emulator:
        admin = emulator.admin()
        organization = await created(emulator.gateway, partner())
        await emulator.fail(fault)
        deleted = await admin.delete(organization.id)
        if fault in {"busy", "locked"}:  # of a delete that is what holds the organization
            assert isinstance(deleted, Refused)
        else:
            assert shown(deleted) == shown(FAULTS[fault].setback)
        for answer in (
            await admin.list(ALL, 100, None),
            await admin.remove_sponsor(organization.id, SponsorKind.INTERNAL, USER["id"]),
            await admin.add_to_subject("r-1", "r_2", EXAMPLE),
            await admin.set_on_subject("r-1", "r_2", organization.id),
        ):
            assert shown(answer) == shown(FAULTS[fault].setback)


async def test_a_list_that_cannot_be_read_is_no_empty_list(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    await emulator.fail("unreadable")
    answer = await admin.list(ALL, 100, None)
    assert isinstance(answer, Later)


async def test_a_reader_may_list_and_not_delete(
    emulator: Emulator, admin: GraphOrganizationAdmin
) -> None:
    await emulator.graph.configure(roles=["EntitlementManagement.Read.All"])
    await a_page(admin)
    answer = await admin.delete(str(uuid4()))
    assert isinstance(answer, Refused)
    assert answer.error.graph_code == "UnAuthorized"
