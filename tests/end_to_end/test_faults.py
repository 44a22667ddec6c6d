"""Graph fails in each way that networks and services do: one organization all the same.

All partners of the table run into their fault before the first one is looked at, so that their
waiting times pass side by side.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import httpx
import pytest

from tests.end_to_end.client import Connorg, Json, Partner, failing_create

TOO_LATE = 4  # seconds: longer than an attempt of the frail stack lasts


class Fault(NamedTuple):
    """What befalls the create, and the code that its caller is told."""

    rule: Json
    code: str
    carried_out: bool = False
    search_fails: bool = False
    """Whether the first search for what became of it fails too."""


FAULTS: Mapping[str, Fault] = {
    "an answer too late": Fault(
        {"fault": "delay", "seconds": TOO_LATE}, "GraphTimeout", carried_out=True
    ),
    "no answer": Fault({"fault": "hang"}, "GraphTimeout"),
    "reset": Fault({"fault": "reset"}, "GraphConnectionLost"),
    "reset after the commit": Fault(
        {"fault": "commit_then_reset"}, "GraphConnectionLost", carried_out=True
    ),
    "reset after the commit, and a search that fails": Fault(
        {"fault": "commit_then_reset"}, "GraphConnectionLost", carried_out=True, search_fails=True
    ),
    "closed early": Fault({"fault": "close"}, "GraphConnectionLost"),
    "500": Fault({"fault": "status", "status": 500}, "GraphUnavailable"),
    "503 after the commit": Fault(
        {"fault": "commit_then_status", "status": 503}, "GraphUnavailable", carried_out=True
    ),
    "504 after the commit": Fault(
        {"fault": "commit_then_status", "status": 504}, "GraphUnavailable", carried_out=True
    ),
    "408": Fault({"fault": "status", "status": 408}, "GraphBusy"),
    "busy with the object": Fault({"fault": "status", "status": 423}, "GraphBusy"),
    "HTML and 502": Fault({"fault": "html", "status": 502}, "GraphUnavailable"),
    "HTML and 200": Fault({"fault": "html", "status": 200}, "GraphAnswerUnreadable"),
    # Last, because it asks everybody to wait.
    "503 with Retry-After after the commit": Fault(
        {"fault": "commit_then_status", "status": 503, "retryAfter": 1},
        "GraphUnavailable",
        carried_out=True,
    ),
}


class Journey(NamedTuple):
    partner: Partner
    answer: httpx.Response


@pytest.fixture(scope="module")
async def journeys(given_back: Connorg) -> Mapping[str, Journey]:
    begun: dict[str, Journey] = {}
    failing_searches: list[Json] = []
    for name, fault in FAULTS.items():
        partner = Partner()
        if fault.search_fails:
            path = rf"filter=.*{re.escape(partner.domain)}"
            search = {"method": "GET", "path": path, "times": 1}
            failing_searches.append({**search, "fault": "status", "status": 423, "retryAfter": 1})
        create = failing_create(partner, **fault.rule, times=1)
        await given_back.graph.fail(create, *failing_searches)
        # The longest wait: each caller is answered when the attempt has come to something.
        answer = await given_back.submit(partner.body(), prefer="wait=100")
        begun[name] = Journey(partner, answer)
    return begun


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_of_graph_makes_one_organization(
    frail: Connorg, journeys: Mapping[str, Journey], name: str
) -> None:
    fault, (partner, answer) = FAULTS[name], journeys[name]
    accepted = answer.json()
    assert (answer.status_code, accepted["status"]) == (202, "Waiting")
    assert accepted["lastError"]["code"] == fault.code
    onboarding = await frail.ended(accepted["id"])
    [organization] = await frail.graph.organizations(partner)
    assert onboarding["status"] == "Succeeded"
    assert onboarding["conclusion"] == "created", "it is ours, whoever saw it first"
    assert onboarding["result"]["id"] == organization["id"]
    assert onboarding["attempts"] >= (3 if fault.search_fails else 2)
    creates = await frail.graph.creates(partner)
    assert len(creates) == (1 if fault.carried_out else 2)


async def test_a_slow_graph_is_waited_for(frail: Connorg) -> None:
    partner = Partner()
    await frail.graph.fail_creates(partner, "delay", seconds=1, times=1)
    answer = await frail.submit(partner.body())
    assert answer.status_code == 201
    assert len(await frail.graph.creates(partner)) == 1
