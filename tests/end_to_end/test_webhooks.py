"""POST webhooks/{source}: what a ticketing system is told, and what becomes of its events."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests import senders
from tests.end_to_end.client import Connorg, Json, Partner, eventually, failing_create, problem
from tests.end_to_end.deliveries import deliver, each_profile, send
from tests.senders import Ticket


async def kept(connorg: Connorg, ticket: Ticket) -> Json:
    """The one failed onboarding that stands for a ticket."""
    [failed] = await connorg.listed(reference=ticket.number, status="Failed")
    return failed


@each_profile
async def test_an_approved_partner_is_onboarded(connorg: Connorg, source: str) -> None:
    partner = Partner()
    ticket = Ticket(partner.domain)
    answer = await deliver(connorg, source, ticket)
    assert answer.status_code == 202, answer.text
    onboarding = await connorg.ended(answer.json()["id"])
    [organization] = await connorg.graph.organizations(partner)
    assert onboarding["status"] == "Succeeded"
    assert onboarding["source"] == f"webhook:{source}"
    assert onboarding["reference"] == ticket.reference(source)
    assert onboarding["result"]["id"] == organization["id"]
    assert (organization["displayName"], organization["state"]) == (ticket.name, "configured")


@each_profile
async def test_a_repeated_delivery_is_the_same_onboarding(connorg: Connorg, source: str) -> None:
    partner = Partner()
    ticket = Ticket(partner.domain)
    first = await deliver(connorg, source, ticket)
    await connorg.ended(first.json()["id"])
    again = await deliver(connorg, source, ticket)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    assert len(await connorg.graph.creates(partner)) == 1


@pytest.mark.parametrize("times", [10, pytest.param(1000, marks=pytest.mark.slow)])
async def test_redeliveries_make_one_organization(connorg: Connorg, times: int) -> None:
    partner = Partner()
    ticket = Ticket(partner.domain)
    at_once = asyncio.Semaphore(50)

    async def one() -> httpx.Response:
        async with at_once:
            return await deliver(connorg, "jira", ticket)

    answers = await asyncio.gather(*(one() for _ in range(times)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    [onboarding_id] = {answer.json()["id"] for answer in answers}
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    await connorg.emptied()
    assert len(await connorg.listed(reference=ticket.number)) == 1
    assert len(await connorg.graph.organizations(partner)) == 1
    assert len(await connorg.graph.creates(partner)) == 1


async def test_the_answer_does_not_wait_for_graph(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "delay", seconds=3)
    answer = await deliver(connorg, "servicenow", Ticket(partner.domain))
    assert answer.status_code == 202
    assert answer.json()["status"] == "NotStarted"
    assert await connorg.graph.organizations(partner) == []
    assert (await connorg.ended(answer.json()["id"]))["status"] == "Succeeded"


async def test_an_answer_says_where_to_look(connorg: Connorg) -> None:
    answer = await deliver(connorg, "servicenow", Ticket(Partner().domain))
    monitor = f"{connorg.stack.functions}/api/onboardings/{answer.json()['id']}"
    assert answer.headers["operation-location"] == monitor
    assert answer.headers["location"].startswith(f"{monitor}/result?token=")


async def test_a_source_is_found_in_any_spelling_of_the_address(connorg: Connorg) -> None:
    body = Ticket(Partner().domain).typed()
    headers = senders.headers("servicenow", body, "spelled")
    answer = await connorg.call("POST", "WebHooks/ServiceNow", content=body, headers=headers)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ("jira", {"webhookEvent": "jira:issue_created", "issue": {"key": "P-1"}}),
        ("jira", {"webhookEvent": "comment_created"}),
        ("zendesk-event", {"type": "zen:event-type:ticket.created"}),
        ("partner-portal", {"type": "contact.created", "data": {}}),
        ("partner-portal", {}),
        ("partner-portal", []),
    ],
)
async def test_an_event_that_asks_for_nothing_leaves_no_trace(
    untouched: Connorg, source: str, event: Any
) -> None:
    before = await untouched.footprint()
    answer = await send(untouched, source, json.dumps(event).encode(), "idle")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await untouched.footprint() == before
    await untouched.logged(f"webhook {source} passed over")


async def test_what_is_invalid_is_told_whole_and_kept_with_its_ticket(connorg: Connorg) -> None:
    ticket = Ticket("not a domain")
    body = ticket.typed(partnerName="", state="Approved")
    answer = await send(connorg, "servicenow", body, ticket.delivery)
    told = problem(answer, 422, "InvalidValues")
    pointers = {"/displayName", "/identitySources/0/domainName", "/state"}
    assert {fault["pointer"] for fault in told["errors"]} == pointers
    failed = await kept(connorg, ticket)
    assert failed["id"] == told["onboardingId"]
    assert failed["source"] == "webhook:servicenow"
    assert failed["lastError"]["code"] == "InvalidValues"
    assert all(pointer in failed["lastError"]["message"] for pointer in pointers)
    assert answer.headers["operation-location"].endswith(failed["id"])


async def test_what_is_repeated_is_kept_once(connorg: Connorg) -> None:
    ticket = Ticket("not a domain")
    answers = await asyncio.gather(*(deliver(connorg, "jira", ticket) for _ in range(20)))
    for answer in answers:
        problem(answer, 422, "InvalidValues")
    assert {answer.json()["onboardingId"] for answer in answers} == {
        (await kept(connorg, ticket))["id"]
    }


NO_JSON = [
    b"",
    b"partner=Contoso",
    b"\xff\xfe{}",
    b"[" * 50_000,
    b"{",
    b"\x01" * 900_000,
    "\N{GRINNING FACE}".encode() * 200_000,
]


@pytest.mark.parametrize("content", NO_JSON, ids=range(len(NO_JSON)))
async def test_a_proven_body_that_is_no_json_is_kept(connorg: Connorg, content: bytes) -> None:
    answer = await send(connorg, "servicenow", content, Partner().domain)
    told = problem(answer, 400, "MalformedBody")
    failed = await connorg.onboarding(told["onboardingId"])
    assert (failed["status"], failed["source"]) == ("Failed", "webhook:servicenow")


async def test_a_value_however_long_is_kept(connorg: Connorg) -> None:
    """An expression that can't take a value names it; a row has room for 32,000 characters."""
    ticket = Ticket("\x01" * 100_000, "Contoso")
    told = problem(await deliver(connorg, "picky", ticket), 422, "InvalidValues")
    assert {"/displayName", "/reference"} < {fault["pointer"] for fault in told["errors"]}
    failed = await connorg.onboarding(told["onboardingId"])
    assert failed["lastError"]["message"].count("invalid type for value") == 2


async def test_a_type_that_the_source_may_not_ask_for_is_refused(connorg: Connorg) -> None:
    ticket = Ticket("", "Contoso")
    tenant = ticket.typed(partnerTenantId="2f9c4e6a-77d6-4d08-9a4c-0e4d8c1b2a03")
    told = problem(await send(connorg, "signing", tenant, "tenant"), 422, "InvalidValues")
    assert [fault["pointer"] for fault in told["errors"]] == ["/identitySources/0/@odata.type"]
    assert (await kept(connorg, ticket))["lastError"]["code"] == "InvalidValues"


async def test_other_attributes_for_the_same_partner_are_kept_and_never_409(
    connorg: Connorg,
) -> None:
    partner = Partner()
    first = await deliver(connorg, "servicenow", Ticket(partner.domain))
    second = Ticket(partner.domain, name="Other")
    answers = [await deliver(connorg, "servicenow", second) for _ in range(2)]
    failed = await kept(connorg, second)
    assert failed["lastError"]["code"] == "IdentitySourceInUse"
    assert failed["request"]["displayName"] == "Other"
    for answer in answers:
        told = problem(answer, 422, "IdentitySourceInUse")
        assert told["onboardingId"] == failed["id"]
        assert first.json()["id"] in told["detail"]


async def test_a_partner_that_must_not_exist_but_does_is_kept(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.ended((await deliver(connorg, "strict", Ticket(partner.domain))).json()["id"])
    second = Ticket(partner.domain)
    problem(await deliver(connorg, "strict", second), 422, "AlreadyConnected")
    assert (await kept(connorg, second))["lastError"]["code"] == "AlreadyConnected"


async def test_a_delivery_id_with_another_body_is_kept(connorg: Connorg) -> None:
    first, second = Ticket(Partner().domain), Ticket(Partner().domain)
    await send(connorg, "jira", first.of("jira"), "the-same" + first.delivery)
    answer = await send(connorg, "jira", second.of("jira"), "the-same" + first.delivery)
    problem(answer, 422, "IdempotencyKeyReused")
    assert (await kept(connorg, second))["lastError"]["code"] == "IdempotencyKeyReused"


async def test_signed_bytes_begin_nothing_again_under_another_delivery_id(
    connorg: Connorg,
) -> None:
    partner = Partner()
    ticket = Ticket(partner.domain)
    await connorg.graph.fail_creates(partner, "status", status=400, code="Refused", times=1)
    first = await send(connorg, "jira", ticket.of("jira"), ticket.delivery)
    failed = await connorg.ended(first.json()["id"])
    assert failed["status"] == "Failed"
    for other in ("a", "b"):
        again = await send(connorg, "jira", ticket.of("jira"), other + ticket.delivery)
        assert problem(again, 422, "RefusedByGraph")["onboardingId"] == failed["id"]
    assert not await connorg.graph.organizations(partner)


async def test_two_sources_do_not_share_their_delivery_ids(connorg: Connorg) -> None:
    first, second = Ticket(Partner().domain), Ticket(Partner().domain)
    for source, ticket in (("servicenow", first), ("freshservice", second)):
        answer = await send(connorg, source, ticket.of(source), first.delivery)
        headers = {"Idempotency-Key": first.delivery}
        assert answer.status_code == 202, headers


async def test_a_canceled_onboarding_is_never_410_which_ends_a_webhook(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail(failing_create(partner, "status", status=503, code="Busy"))
    ticket = Ticket(partner.domain)
    onboarding_id = (await deliver(connorg, "partner-portal", ticket)).json()["id"]

    async def waits() -> bool:
        return bool((await connorg.onboarding(onboarding_id))["status"] == "Waiting")

    await eventually(waits, "it does not wait")
    await connorg.call("DELETE", f"onboardings/{onboarding_id}")
    told = problem(await deliver(connorg, "partner-portal", ticket), 422, "OnboardingCanceled")
    assert told["onboardingId"] == onboarding_id


async def test_a_body_of_more_than_a_megabyte_is_not_read(untouched: Connorg) -> None:
    before = await untouched.footprint()
    body = Ticket(Partner().domain).typed().ljust(2**20 + 1)
    problem(await send(untouched, "servicenow", body, "large"), 413, "BodyTooLarge")
    assert await untouched.footprint() == before


async def test_a_long_ticket_is_read(connorg: Connorg) -> None:
    body = Ticket(Partner().domain).typed(worknotes="x" * 250_000)
    assert (await send(connorg, "servicenow", body, Partner().domain)).status_code == 202


async def test_what_storage_could_not_keep_is_sent_again(frail: Connorg) -> None:
    """503 is the one answer that asks the sender to repeat."""
    partner = Partner()
    ticket = Ticket(partner.domain)
    frail.stack.kill("storage")
    try:
        refused = await deliver(frail, "jira", ticket)
        invalid = await deliver(frail, "jira", Ticket("not a domain"))
    finally:
        frail.stack.restart("storage")
    for answer in (refused, invalid):
        problem(answer, 503, "StorageUnavailable")
        assert answer.headers["retry-after"]
    answer = await deliver(frail, "jira", ticket)
    assert answer.status_code == 202
    await frail.ended(answer.json()["id"])
    assert len(await frail.graph.creates(partner)) == 1
