"""Graph lets the app do nothing (403): kept, told, and done as soon as somebody grants it."""

from typing import Any

import pytest

from tests.end_to_end.client import Connorg, Json, Partner, eventually


async def graph_check(connorg: Connorg) -> Json:
    health = await connorg.health()
    [check] = [check for check in health["checks"] if check["name"] == "graph"]
    return {**check, "of": health["status"]}


@pytest.mark.parametrize(
    ("lacking", "graph_code", "granted", "words"),
    [
        ({"roles": []}, "UnAuthorized", {"roles": None}, "EntitlementManagement.ReadWrite.All"),
        ({"licensed": False}, "NoLicense", {"licensed": True}, "ID Governance"),
    ],
    ids=["permission", "licence"],
)
async def test_what_is_missing_is_told_and_once_granted_all_goes_through(
    frail: Connorg, lacking: Any, graph_code: str, granted: Any, words: str
) -> None:
    partner = Partner()
    await frail.graph.configure(**lacking)
    onboarding_id = await frail.accepted(partner.body())
    onboarding = await frail.onboarding(onboarding_id)
    assert onboarding["status"] == "Waiting"
    assert onboarding["lastError"]["graphCode"] == graph_code
    check = await graph_check(frail)
    assert (check["of"], check["status"]) == ("degraded", "blocked")
    assert words in check["action"]
    await only_who_has_a_key_reads_what_graph_said(frail, onboarding["lastError"])

    await frail.graph.configure(**granted)
    assert (await frail.ended(onboarding_id))["status"] == "Succeeded"
    assert len(await frail.graph.organizations(partner)) == 1
    await eventually(frail.is_healthy, "health still tells what is over")
    await frail.let_time_pass_at_the_gate()


async def only_who_has_a_key_reads_what_graph_said(connorg: Connorg, error: Json) -> None:
    said = error["message"].partition(": ")[2]
    public = (await connorg.call("GET", "health", key=False)).text
    inside = (await connorg.call("GET", "health/details")).text
    for private in (said, error["graphRequestId"]):
        assert private
        assert (private in public, private in inside) == (False, True)


async def test_a_rejected_token_blocks_and_heals_too(frail: Connorg) -> None:
    partner = Partner()
    await frail.graph.fail_creates(partner, "status", status=401, times=1)
    onboarding_id = await frail.accepted(partner.body())
    assert (await graph_check(frail))["status"] == "blocked"
    assert (await frail.ended(onboarding_id))["status"] == "Succeeded"
    await eventually(frail.is_healthy, "health still tells what is over")
