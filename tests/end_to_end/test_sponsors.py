"""Sponsors: added once the organization stands, one by one, whatever happens between two."""

import os
import signal
import uuid

import pytest

from tests.end_to_end.client import Connorg, Json, Partner, eventually, problem

ADA = {"id": str(uuid.uuid4()), "userPrincipalName": "ada@home.example"}
GUEST = {
    "id": str(uuid.uuid4()),
    "userPrincipalName": "bob_partner.example#EXT#@home.onmicrosoft.com",
}
DESK = {"id": str(uuid.uuid4()), "displayName": "Partner desk"}
UNKNOWN = "nobody@home.example"


async def with_sponsors(connorg: Connorg) -> None:
    home = {
        "tenantId": "11111111-1111-4111-8111-111111111111",
        "displayName": "Home",
        "defaultDomainName": "home.example",
        "users": [ADA, GUEST],
        "groups": [DESK],
    }
    await connorg.graph.enroll(home)


@pytest.fixture(name="peopled")
async def peopled_fixture(connorg: Connorg) -> Connorg:
    await with_sponsors(connorg)
    return connorg


async def sponsors_of(connorg: Connorg, partner: Partner) -> tuple[list[str], list[str]]:
    [organization] = await connorg.graph.organizations(partner)
    return organization["internalSponsors"], organization["externalSponsors"]


def sponsors_missed(onboarding: Json) -> list[str]:
    """Return what it warns of; but for its domain, which no tenant has."""
    warnings = onboarding["warnings"]
    return [found["message"] for found in warnings if found["code"] == "SponsorNotAdded"]


async def test_sponsors_are_added_by_id_and_by_name_users_and_groups(peopled: Connorg) -> None:
    partner = Partner()
    asked = {
        "internalSponsors": [ADA["userPrincipalName"].upper(), DESK["id"]],
        "externalSponsors": [GUEST["userPrincipalName"]],
    }
    answer = await peopled.submit(partner.body(**asked))
    assert answer.status_code == 201
    assert sponsors_missed(answer.json()) == []
    expected = ([ADA["id"], DESK["id"]], [GUEST["id"]])
    assert await sponsors_of(peopled, partner) == expected
    [create] = await peopled.graph.creates(partner)
    assert "internalSponsors" not in create["body"], "Graph documents no sponsors in a create"


async def test_a_sponsor_who_does_not_exist_is_a_warning_and_undoes_nothing(
    peopled: Connorg,
) -> None:
    partner = Partner()
    answer = await peopled.submit(
        partner.body(internalSponsors=[UNKNOWN, ADA["id"]], externalSponsors=[str(uuid.uuid4())])
    )
    assert answer.status_code == 201
    onboarding = answer.json()
    assert onboarding["status"] == "Succeeded"
    first, _ = sponsors_missed(onboarding)
    assert UNKNOWN in first
    assert await sponsors_of(peopled, partner) == ([ADA["id"]], [])


@pytest.mark.parametrize("sponsor", ["ada", "ada@", "../users/ada", "a b@c.example", "x" * 300])
async def test_a_sponsor_that_is_no_name_is_refused_with_its_place(
    connorg: Connorg, sponsor: str
) -> None:
    answer = await connorg.submit(Partner().body(internalSponsors=[ADA["id"], sponsor]))
    told = problem(answer, 422, "InvalidValues")
    assert [fault["pointer"] for fault in told["errors"]] == ["/internalSponsors/1"]


async def test_more_sponsors_than_fit_are_refused(connorg: Connorg) -> None:
    sponsors = [f"sponsor{i}@home.example" for i in range(21)]
    answer = await connorg.submit(Partner().body(externalSponsors=sponsors))
    told = problem(answer, 422, "InvalidValues")
    assert told["errors"][0]["pointer"] == "/externalSponsors"


async def test_a_retry_goes_on_with_the_sponsor_at_which_it_stopped(peopled: Connorg) -> None:
    partner = Partner()
    second = {"method": "POST", "path": "Sponsors", "body": DESK["id"]}
    await peopled.graph.fail({**second, "fault": "status", "status": 503, "times": 1})
    sponsors = [ADA["id"], DESK["id"]]
    answer = await peopled.submit(partner.body(internalSponsors=sponsors))
    accepted = answer.json()
    assert (answer.status_code, accepted["status"]) == (202, "Waiting")
    assert accepted["conclusion"] == "created", "it stands already"
    assert (await peopled.ended(accepted["id"]))["status"] == "Succeeded"
    assert await sponsors_of(peopled, partner) == (sponsors, [])
    assert len(await peopled.graph.creates(partner)) == 1
    added = [call["body"]["@odata.id"] for call in await references(peopled, accepted)]
    assert sum(ADA["id"] in address for address in added) == 1, "who was added is not added again"


async def test_a_crash_between_two_sponsors_loses_none(frail: Connorg) -> None:
    await with_sponsors(frail)
    partner = Partner()
    second = {"method": "POST", "path": "Sponsors", "body": DESK["id"]}
    await frail.graph.fail({**second, "fault": "hang", "times": 1})
    sponsors = [ADA["id"], DESK["id"]]
    body = partner.body(internalSponsors=sponsors)
    onboarding_id = await frail.accepted(body, prefer="respond-async")

    async def second_is_asked() -> bool:
        return any(DESK["id"] in str(call["body"]) for call in await frail.graph.requests())

    await eventually(second_is_asked, "the second sponsor is never added")
    os.kill(frail.stack.pids["functions"], signal.SIGSTOP)
    frail.crash("functions")
    assert (await frail.ended(onboarding_id))["status"] == "Succeeded"
    assert await sponsors_of(frail, partner) == (sponsors, [])
    assert len(await frail.graph.creates(partner)) == 1


async def test_other_sponsors_for_the_same_partner_are_a_conflict_and_an_update_adds_them(
    peopled: Connorg,
) -> None:
    partner = Partner()
    await peopled.submit(partner.body(internalSponsors=[ADA["id"]]))
    more = partner.body(internalSponsors=[ADA["id"], DESK["id"]])
    told = problem(await peopled.submit(more), 409, "IdentitySourceInUse")
    difference = {"attribute": "internalSponsors", "requested": DESK["id"]}
    assert told["differences"] == [difference]
    fewer = await peopled.submit(partner.body())
    assert fewer.status_code == 200, "it asks for nothing that there is not"

    updated = await peopled.submit({**more, "ifExists": "update"})
    assert (updated.status_code, updated.json()["conclusion"]) == (200, "updated")
    assert [d["requested"] for d in updated.json()["differences"]] == [DESK["id"]]
    assert await sponsors_of(peopled, partner) == ([ADA["id"], DESK["id"]], [])
    added = [call["body"]["@odata.id"] for call in await references(peopled, updated.json())]
    assert sum(ADA["id"] in address for address in added) == 1, "who is there is not added again"


async def test_a_sponsor_who_exists_by_now_is_added_by_an_update(peopled: Connorg) -> None:
    partner = Partner()
    body = partner.body(internalSponsors=[UNKNOWN], ifExists="update")
    assert len(sponsors_missed((await peopled.submit(body)).json())) == 1
    newcomer = {"id": str(uuid.uuid4()), "userPrincipalName": UNKNOWN}
    home = {
        "tenantId": "11111111-1111-4111-8111-111111111111",
        "displayName": "Home",
        "defaultDomainName": "home.example",
        "users": [newcomer],
    }
    await peopled.graph.enroll(home)
    answer = await peopled.submit(body)
    assert sponsors_missed(answer.json()) == []
    assert await sponsors_of(peopled, partner) == ([newcomer["id"]], [])


async def references(connorg: Connorg, onboarding: Json) -> list[Json]:
    """The references to sponsors that Graph was sent for an onboarding's organization."""
    organization_id = onboarding["result"]["id"]
    return [
        call
        for call in await connorg.graph.requests()
        if organization_id in call["path"] and call["path"].endswith("Sponsors/$ref")
    ]
