"""What every gateway promises of sponsors; the emulator says by which address they are named."""

from uuid import uuid4

import pytest

from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain.outcomes import Later, Refused, SponsorSettled
from connorg.core.ports import OrganizationGateway
from tests.contract.graph_emulator import GROUP, GUEST, USER
from tests.contract.graphs import (
    HOUR,
    UNKNOWN_SPONSOR,
    Emulator,
    GraphUnderTest,
    created,
    partner,
)

NOBODY = "nobody@home.example"


def sponsorship(sponsor: str, kind: SponsorKind = SponsorKind.INTERNAL) -> Sponsorship:
    return Sponsorship(kind=kind, sponsor=sponsor)


async def held(gateway: OrganizationGateway, organization_id: str, kind: SponsorKind) -> list[str]:
    """The sponsors' object ids."""
    sponsors = await gateway.sponsors(organization_id, kind)
    assert isinstance(sponsors, tuple)
    return [sponsor.id for sponsor in sponsors]


@pytest.mark.parametrize("kind", SponsorKind)
async def test_a_sponsor_is_added_once_and_listed(
    gateway: OrganizationGateway, kind: SponsorKind
) -> None:
    organization = await created(gateway, partner())
    assert await held(gateway, organization.id, kind) == []
    for _ in range(2):
        added = await gateway.add_sponsor(organization.id, sponsorship(USER["id"], kind))
        assert added == SponsorSettled()
    assert await held(gateway, organization.id, kind) == [USER["id"]]
    (other,) = set(SponsorKind) - {kind}
    assert await held(gateway, organization.id, other) == []


async def test_a_sponsor_who_does_not_exist_is_a_warning(gateway: OrganizationGateway) -> None:
    organization = await created(gateway, partner())
    answer = await gateway.add_sponsor(organization.id, sponsorship(UNKNOWN_SPONSOR))
    assert isinstance(answer, SponsorSettled)
    assert answer.warning is not None
    assert await held(gateway, organization.id, SponsorKind.INTERNAL) == []


async def test_sponsors_of_an_unknown_organization_are_not_found(
    gateway: OrganizationGateway,
) -> None:
    answer = await gateway.sponsors(str(uuid4()), SponsorKind.INTERNAL)
    assert isinstance(answer, Refused)
    assert answer.not_found


async def test_an_organization_that_is_not_there_is_no_fault_of_the_sponsor(
    gateway: OrganizationGateway,
) -> None:
    answer = await gateway.add_sponsor(str(uuid4()), sponsorship(USER["id"]))
    assert isinstance(answer, Later), "a new one may be seen a little later"
    assert answer.error.code == "NotListedYet"


async def test_a_sponsor_is_added_before_the_organization_is_listed(
    under_test: GraphUnderTest,
) -> None:
    organization = await created(under_test.gateway, partner())
    await under_test.list_after(HOUR)
    added = await under_test.gateway.add_sponsor(organization.id, sponsorship(USER["id"]))
    assert added == SponsorSettled()


# The emulator alone: how a sponsor is named

NAMED = {
    "a user's id": (USER["id"], [f"users/{USER['id']}"], USER),
    "a user's principal name": (
        USER["userPrincipalName"],
        [f"users/{USER['userPrincipalName']}"],
        USER,
    ),
    "a guest's principal name": (
        GUEST["userPrincipalName"],
        ["users/bob_contoso.example%23ext%23@home.example"],
        GUEST,
    ),
    "a group's id": (GROUP["id"], [f"users/{GROUP['id']}", f"groups/{GROUP['id']}"], GROUP),
}


@pytest.mark.parametrize(("sponsor", "paths", "is_held"), NAMED.values(), ids=NAMED)
async def test_a_sponsor_is_named_by_an_address_of_this_root_and_version(
    emulator: Emulator, sponsor: str, paths: list[str], is_held: dict[str, str]
) -> None:
    organization = await created(emulator.gateway, partner())
    settled = await emulator.gateway.add_sponsor(organization.id, sponsorship(sponsor))
    assert settled == SponsorSettled()
    named = [sent["body"]["@odata.id"] for sent in (await emulator.requests("POST"))[1:]]
    assert named == [f"{emulator.graph.root}/{emulator.version}/{path}" for path in paths]
    (only,) = await held_objects(emulator, organization.id)
    assert only.items() >= is_held.items()


async def held_objects(emulator: Emulator, organization_id: str) -> list[dict[str, str]]:
    sponsors = await emulator.gateway.sponsors(organization_id, SponsorKind.INTERNAL)
    assert isinstance(sponsors, tuple)
    return [sponsor.model_dump(mode="json", exclude_none=True) for sponsor in sponsors]


@pytest.mark.parametrize("sponsor", [UNKNOWN_SPONSOR, NOBODY])
async def test_the_warning_names_the_sponsor_and_says_what_to_do(
    emulator: Emulator, sponsor: str
) -> None:
    organization = await created(emulator.gateway, partner())
    asked = sponsorship(sponsor, SponsorKind.EXTERNAL)
    answer = await emulator.gateway.add_sponsor(organization.id, asked)
    assert isinstance(answer, SponsorSettled)
    warning = answer.warning
    assert warning is not None
    assert (warning.code, warning.graph_code) == ("SponsorNotAdded", "Request_ResourceNotFound")
    assert f"externalSponsors: {sponsor} does not exist" in warning.message
    assert warning.action


async def test_a_principal_name_is_not_tried_as_a_group(emulator: Emulator) -> None:
    organization = await created(emulator.gateway, partner())
    await emulator.gateway.add_sponsor(organization.id, sponsorship(NOBODY))
    assert len(await emulator.requests("POST")) == 2  # the create, and one sponsor


@pytest.mark.parametrize("status", [204, 400])
async def test_a_sponsor_whom_the_organization_has_is_no_failure(
    emulator: Emulator, status: int
) -> None:
    await emulator.graph.configure(repeatedSponsorStatus=status)
    organization = await created(emulator.gateway, partner())
    for sponsor in (USER["id"], USER["userPrincipalName"], GROUP["id"], GROUP["id"]):
        settled = await emulator.gateway.add_sponsor(organization.id, sponsorship(sponsor))
        assert settled == SponsorSettled()
    ids = await held(emulator.gateway, organization.id, SponsorKind.INTERNAL)
    assert ids == [USER["id"], GROUP["id"]]
    answers = [sent["status"] for sent in await emulator.requests("POST")]
    assert (400 in answers) == (status == 400)
