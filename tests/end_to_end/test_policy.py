"""The company's rules, by app settings: who may be connected, and what a source may ask for."""

import pytest

from tests.end_to_end.client import Connorg, Partner, problem
from tests.end_to_end.deliveries import deliver
from tests.senders import Ticket

DENIED, ALLOWED_TENANT = Partner("denied.example"), "5c0e4f0e-7d2a-4b0e-9a43-1f3b2c4d5e6f"
DENIED_LATER = Partner("later.example")
RULES = {
    "CONNORG_DENIED": f"{DENIED.domain} *.{DENIED.domain} {DENIED_LATER.domain}",
    "CONNORG_ALLOWED": f"*.example, {ALLOWED_TENANT}",
    "CONNORG_PROPOSED_ONLY": "queue",
    "CONNORG_CLOUD": "china",
    "CONNORG_READ_BACK": "true",
}


async def test_a_rule_made_since_the_request_came_stops_its_next_attempt(frail: Connorg) -> None:
    await frail.graph.fail_creates(DENIED_LATER, "status", status=423)
    onboarding_id = await frail.accepted(DENIED_LATER.body())
    frail.stack.set_functions(RULES)
    onboarding = await frail.ended(onboarding_id)
    assert onboarding["lastError"]["code"] == "RefusedByPolicy"
    assert not await frail.graph.organizations(DENIED_LATER)


@pytest.fixture
def strict(breakable: Connorg) -> Connorg:
    breakable.stack.set_functions(RULES)
    return breakable


@pytest.mark.parametrize("domain", [DENIED.domain, f"sub.{DENIED.domain}"])
async def test_who_is_denied_is_refused_before_anything_is_kept(
    strict: Connorg, domain: str
) -> None:
    before = await strict.ledger_rows()
    told = problem(await strict.submit(Partner(domain).body()), 422, "RefusedByPolicy")
    assert [fault["rule"] for fault in told["errors"]] == ["denied"]
    assert told["action"]
    assert await strict.ledger_rows() == before
    assert not await strict.graph.calls(Partner(domain))


async def test_who_is_not_allowed_is_refused_when_the_tenant_does_not_help(
    strict: Connorg,
) -> None:
    partner = Partner("partner-not-allowed.test")
    told = problem(await strict.submit(partner.body()), 422, "RefusedByPolicy")
    assert "notAllowed" in told["detail"]
    assert not await strict.graph.creates(partner)


async def test_who_is_allowed_by_tenant_is_connected_by_domain(strict: Connorg) -> None:
    partner = Partner("partner-allowed-by-tenant.test")
    await strict.graph.register(partner.domain, ALLOWED_TENANT)
    answer = await strict.submit(partner.body())
    assert answer.status_code == 201
    [source] = answer.json()["result"]["identitySources"]
    assert source["tenantId"] == ALLOWED_TENANT, "read back, as the settings say"


async def test_a_webhook_for_who_is_denied_is_kept_with_its_ticket(strict: Connorg) -> None:
    ticket = Ticket(DENIED.domain)
    for _ in range(2):
        told = problem(await deliver(strict, "jira", ticket), 422, "RefusedByPolicy")
        assert [fault["rule"] for fault in told["errors"]] == ["denied"]
    [failed] = await strict.listed(reference=ticket.number)
    assert failed["id"] == told["onboardingId"]
    assert (failed["status"], failed["source"]) == ("Failed", "webhook:jira")
    assert failed["lastError"]["code"] == "RefusedByPolicy"


async def test_the_queue_may_only_propose(strict: Connorg) -> None:
    configured, proposed = Partner(), Partner()
    await strict.put(configured.body(reference=configured.domain))
    await strict.put(proposed.body(reference=proposed.domain, state="proposed"))
    refused = await strict.only_one_listed(reference=configured.domain)
    refused = await strict.ended(refused["id"])
    assert (refused["status"], refused["lastError"]["code"]) == ("Failed", "RefusedByPolicy")
    assert "proposedOnly" in refused["lastError"]["message"]
    assert not await strict.graph.calls(configured)
    taken = await strict.only_one_listed(reference=proposed.domain)
    assert (await strict.ended(taken["id"]))["status"] == "Succeeded"
    assert (await strict.submit(Partner().body())).status_code == 201, "others may configure"


async def test_what_the_cloud_does_not_have_is_refused_with_a_sentence(strict: Connorg) -> None:
    source = {
        "@odata.type": "#microsoft.graph.crossCloudAzureActiveDirectoryTenant",
        "tenantId": ALLOWED_TENANT,
        "cloudInstance": "microsoftonline.us",
    }
    body = Partner().body(identitySources=[source])
    told = problem(await strict.submit(body), 422, "RefusedByPolicy")
    assert "microsoftonline.us can't be connected from this cloud" in told["detail"]


@pytest.mark.parametrize("domain", ["gmail.com", "outlook.com"])
async def test_a_public_mail_domain_is_no_partner(connorg: Connorg, domain: str) -> None:
    told = problem(await connorg.submit(Partner(domain).body()), 422, "RefusedByPolicy")
    assert [fault["rule"] for fault in told["errors"]] == ["publicMail"]
    assert not await connorg.graph.calls(Partner(domain))
