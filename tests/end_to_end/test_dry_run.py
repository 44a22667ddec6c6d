"""`?dryRun=true`: what would become of a request, and that nothing comes of asking."""

import json
import uuid

import pytest

from tests.end_to_end.client import Connorg, Json, Partner, problem


async def forecast(connorg: Connorg, body: Json) -> Json:
    """The forecast; the ledger and Graph stay as they were."""
    partner = Partner(body["identitySources"][0]["domainName"])
    rows, calls = await connorg.ledger_rows(), await connorg.graph.calls(partner)
    content = json.dumps(body).encode()
    answer = await connorg.call("POST", "connected-organizations?dryRun=true", content=content)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    assert told["dryRun"] is True
    assert not {row[1] for row in await connorg.ledger_rows() - rows} - {"graph"}, "but the gate"
    asked = (await connorg.graph.calls(partner))[len(calls) :]
    assert {call["method"] for call in asked} <= {"GET"}
    return told


async def test_a_new_partner_would_be_created(connorg: Connorg) -> None:
    partner = Partner()
    told = await forecast(connorg, partner.body())
    assert told["prospect"] == "create"
    assert not await connorg.graph.organizations(partner)
    assert (await connorg.submit(partner.body())).status_code == 201


async def test_it_tells_which_tenant_it_is(connorg: Connorg) -> None:
    partner, tenant_id = Partner(), str(uuid.uuid4())
    await connorg.graph.register(partner.domain, tenant_id)
    assert (await forecast(connorg, partner.body()))["tenant"]["tenantId"] == tenant_id


@pytest.mark.parametrize(
    ("changes", "prospect", "differing"),
    [
        ({}, "exists", []),
        ({"ifExists": "update"}, "exists", []),
        ({"ifExists": "fail"}, "refused", []),
        ({"ifExists": "return", "displayName": "Other"}, "exists", ["displayName"]),
        ({"ifExists": "update", "displayName": "Other"}, "update", ["displayName"]),
        ({"displayName": "Other", "state": "proposed"}, "refused", ["displayName", "state"]),
        (
            {"ifExists": "update", "internalSponsors": ["ada@x.example"]},
            "update",
            ["internalSponsors"],
        ),
    ],
)
async def test_a_partner_that_was_onboarded_is_compared(
    connorg: Connorg, changes: Json, prospect: str, differing: list[str]
) -> None:
    partner = Partner()
    created = (await connorg.submit(partner.body())).json()
    told = await forecast(connorg, partner.body(**changes))
    assert told["prospect"] == prospect
    assert [d["attribute"] for d in told["differences"]] == differing
    assert told["organization"]["id"] == created["result"]["id"]
    assert told["onboardingId"] == created["id"]
    assert ("error" in told) == (prospect == "refused")
    status = {"exists": 200, "update": 200, "refused": 409}[prospect]
    assert (await connorg.submit(partner.body(**changes))).status_code == status, "it is true"


async def test_a_partner_that_graph_alone_knows_is_compared(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.make_by_hand(partner)
    told = await forecast(connorg, partner.body(description="Another"))
    assert told["prospect"] == "exists"
    assert [d["attribute"] for d in told["differences"]] == ["description"]
    fails = await forecast(connorg, partner.body(ifExists="fail"))
    assert (fails["prospect"], fails["error"]["code"]) == ("refused", "AlreadyConnected")


async def test_one_under_way_would_be_joined(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, times=1)
    onboarding_id = await connorg.accepted(partner.body())
    told = await forecast(connorg, partner.body())
    assert (told["prospect"], told["onboardingId"]) == ("underWay", onboarding_id)


async def test_the_policy_is_told_rule_by_rule(connorg: Connorg) -> None:
    told = await forecast(connorg, Partner("gmail.com").body())
    assert told["prospect"] == "refused"
    assert [fault["rule"] for fault in told["errors"]] == ["publicMail"]


async def test_a_graph_that_cannot_be_asked_is_a_503(connorg: Connorg) -> None:
    partner = Partner()
    search = {"method": "GET", "path": rf"filter=.*{partner.domain}"}
    await connorg.graph.fail({**search, "fault": "status", "status": 500})
    content = json.dumps(partner.body()).encode()
    answer = await connorg.call("POST", "connected-organizations?dryRun=true", content=content)
    problem(answer, 503, "GraphUnavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_invalid_body_is_refused_as_ever(connorg: Connorg) -> None:
    answer = await connorg.call("POST", "connected-organizations?dryRun=true", content=b"{}")
    problem(answer, 422, "InvalidValues")
    answer = await connorg.call("POST", "connected-organizations?dryRun=maybe", content=b"{}")
    assert answer.status_code in {400, 422}
