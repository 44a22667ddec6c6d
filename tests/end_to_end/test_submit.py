"""POST connected-organizations: what a caller is told, for each thing that can come of it."""

import asyncio
import json

import pytest

from tests.end_to_end.client import Connorg, Partner, problem


async def test_a_new_partner_is_created_while_the_caller_waits(connorg: Connorg) -> None:
    partner = Partner()
    answer = await connorg.submit(partner.body(reference="CHG-1"))
    assert answer.status_code == 201
    onboarding = answer.json()
    [organization] = await connorg.graph.organizations(partner)
    assert onboarding["status"] == "Succeeded"
    assert onboarding["conclusion"] == "created"
    assert onboarding["result"]["id"] == organization["id"]
    assert onboarding["reference"] == "CHG-1"
    assert onboarding["attempts"] == 1
    lookup, create = await connorg.graph.calls(partner)
    assert "findTenantInformation" in lookup["path"]
    assert (create["method"], create["status"]) == ("POST", 201)


async def test_a_repeated_request_gets_the_same_onboarding(connorg: Connorg) -> None:
    partner = Partner()
    first = await connorg.submit(partner.body())
    again = await connorg.submit(partner.body())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(await connorg.graph.creates(partner)) == 1


async def test_the_same_domain_in_other_spellings_is_the_same_partner(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(displayName="One")
    first = await connorg.submit(body)
    shouted = json.loads(json.dumps(body).replace(partner.domain, f"{partner.domain.upper()}."))
    again = await connorg.submit(shouted)
    assert again.status_code == 200
    assert again.json()["id"] == first.json()["id"]


async def test_an_international_domain_reaches_graph_in_punycode(connorg: Connorg) -> None:
    tag = Partner().domain.split(".")[0]
    answer = await connorg.submit(Partner(f"{tag}-bücher.example").body())
    assert answer.status_code == 201
    organization = await connorg.graph.organization(answer.json()["result"]["id"])
    assert organization["identitySources"][0]["domainName"].startswith("xn--")


async def test_an_organization_that_graph_had_before_is_adopted(connorg: Connorg) -> None:
    """Somebody made it by hand; Graph refuses the duplicate by either of its two codes."""
    partner = Partner()
    await connorg.graph.make_by_hand(partner)
    answer = await connorg.submit(partner.body(displayName="Another name"))
    assert answer.status_code == 200
    onboarding = answer.json()
    [organization] = await connorg.graph.organizations(partner)
    assert onboarding["conclusion"] == "existing"
    assert onboarding["result"]["id"] == organization["id"]
    assert organization["displayName"] == f"Partner {partner.domain}", "it is left as it was"
    assert [d["attribute"] for d in onboarding["differences"]] == ["displayName"]


@pytest.mark.parametrize("duplicate_status", [400, 409])
async def test_a_duplicate_is_known_by_its_code_whatever_the_status(
    connorg: Connorg, duplicate_status: int
) -> None:
    partner = Partner()
    await connorg.graph.configure(duplicateStatus=duplicate_status)
    await connorg.graph.fail_creates(
        partner, "commit_then_status", status=400, code="Refused", times=1
    )
    await connorg.submit(partner.body())
    answer = await connorg.submit(partner.body())
    assert answer.status_code == 200
    assert len(await connorg.graph.organizations(partner)) == 1


async def test_a_domain_of_a_tenant_is_adopted_by_its_tenant(connorg: Connorg) -> None:
    partner, tenant_id = Partner(), "7e2a66ab-4c43-4a0a-9d0e-0d7b5e1f0a01"
    await connorg.graph.register(partner.domain, tenant_id)
    await connorg.graph.fail_creates(
        partner, "commit_then_status", status=400, code="Refused", times=1
    )
    await connorg.submit(partner.body())
    answer = await connorg.submit(partner.body())
    assert answer.status_code == 200
    assert answer.json()["result"]["identitySources"][0]["tenantId"] == tenant_id


async def test_other_attributes_for_the_same_partner_are_a_conflict(connorg: Connorg) -> None:
    partner = Partner()
    first = await connorg.submit(partner.body())
    told = problem(
        await connorg.submit(partner.body(displayName="Other")), 409, "IdentitySourceInUse"
    )
    assert told["onboardingId"] == first.json()["id"]
    assert told["differences"] == [
        {
            "attribute": "displayName",
            "requested": "Other",
            "actual": f"Partner {partner.domain}",
        }
    ]


async def test_if_exists_return_takes_what_there_is(connorg: Connorg) -> None:
    partner = Partner()
    first = await connorg.submit(partner.body())
    answer = await connorg.submit(partner.body(displayName="Other", ifExists="return"))
    assert answer.status_code == 200
    assert answer.json()["id"] == first.json()["id"]


async def test_if_exists_fail_refuses_what_was_onboarded_before(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.submit(partner.body())
    answer = await connorg.submit(partner.body(ifExists="fail"))
    problem(answer, 409, "AlreadyConnected")


async def test_if_exists_fail_refuses_what_only_graph_knows(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.make_by_hand(partner)
    answer = await connorg.submit(partner.body(ifExists="fail"))
    [organization] = await connorg.graph.organizations(partner)
    told = problem(answer, 409, "AlreadyConnected")
    assert organization["id"] in told["detail"]


async def test_if_exists_update_changes_the_organization_in_place(connorg: Connorg) -> None:
    partner = Partner()
    created = await connorg.submit(partner.body())
    changed = partner.body(displayName="New name", state="proposed", ifExists="update")
    answer = await connorg.submit(changed)
    assert answer.status_code == 200
    assert answer.json()["conclusion"] == "updated"
    [organization] = await connorg.graph.organizations(partner)
    assert organization["id"] == created.json()["result"]["id"]
    assert (organization["displayName"], organization["state"]) == ("New name", "proposed")
    [patch] = [
        call
        for call in await connorg.graph.requests()
        if organization["id"] in call["path"] and call["method"] == "PATCH"
    ]
    assert patch["body"].keys() - {"@odata.type"} == {"displayName", "state"}, "only what differs"


async def test_respond_async_only_accepts_and_the_queue_does_the_rest(connorg: Connorg) -> None:
    partner = Partner()
    answer = await connorg.submit(partner.body(), prefer="respond-async")
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.json()["status"] == "NotStarted"
    onboarding = await connorg.ended(answer.json()["id"])
    assert onboarding["status"] == "Succeeded"
    assert len(await connorg.graph.creates(partner)) == 1


async def test_a_callers_wait_is_bounded_and_the_attempt_goes_on(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "delay", seconds=2)
    answer = await connorg.submit(partner.body(), prefer="wait=1")
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=1"
    assert answer.json()["status"] == "Running"
    onboarding = await connorg.ended(answer.json()["id"])
    assert onboarding["status"] == "Succeeded"
    assert onboarding["attempts"] == 1
    assert len(await connorg.graph.creates(partner)) == 1


async def test_a_wait_beyond_the_longest_is_cut_and_said(connorg: Connorg) -> None:
    answer = await connorg.submit(Partner().body(), prefer="wait=5000")
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=100"


async def test_an_accepted_request_says_where_to_look_and_when(connorg: Connorg) -> None:
    answer = await connorg.submit(Partner().body(), prefer="respond-async")
    monitor = f"{connorg.stack.functions}/api/onboardings/{answer.json()['id']}"
    assert answer.headers["operation-location"] == monitor
    assert answer.headers["location"].startswith(f"{monitor}/result?token=")
    assert int(answer.headers["retry-after"]) >= 1


async def test_addresses_name_no_host_that_anybody_can_write(connorg: Connorg) -> None:
    answer = await connorg.submit(
        Partner().body(),
        prefer="respond-async",
        x_forwarded_host="connorg.contoso.com, inner.internal",
        x_forwarded_proto="https",
    )
    for header in ("location", "operation-location"):
        own = connorg.stack.functions.replace("http:", "https:")
        assert answer.headers[header].startswith(f"{own}/api/onboardings/")


@pytest.mark.parametrize("forged", ["evil.example/path", "a b", "user@evil.example", "x\\y"])
async def test_a_forwarded_host_that_is_none_is_passed_over(connorg: Connorg, forged: str) -> None:
    answer = await connorg.submit(Partner().body(), x_forwarded_host=forged)
    assert answer.headers["location"].startswith(f"{connorg.stack.functions}/api/")


@pytest.mark.parametrize("second", ['"{}"', "{}"], ids=["quoted", "bare"])
async def test_the_same_key_and_body_meet_the_same_onboarding(
    connorg: Connorg, second: str
) -> None:
    partner = Partner()
    key = f"ticket-{partner.domain}"
    first = await connorg.submit(partner.body(), idempotency_key=f'"{key}"')
    again = await connorg.submit(partner.body(), idempotency_key=second.format(key))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]


async def test_a_key_reused_for_another_body_is_refused(connorg: Connorg) -> None:
    key = Partner().domain
    first = await connorg.submit(Partner().body(), idempotency_key=key)
    told = problem(
        await connorg.submit(Partner().body(), idempotency_key=key), 422, "IdempotencyKeyReused"
    )
    assert told["onboardingId"] == first.json()["id"]


@pytest.mark.parametrize("key", ['""', "x" * 256, 'half"quoted'])
async def test_a_key_that_cannot_be_one_is_refused(connorg: Connorg, key: str) -> None:
    partner = Partner()
    problem(await connorg.submit(partner.body(), idempotency_key=key), 400, "InvalidParameter")
    assert not await connorg.graph.calls(partner)


async def test_fifty_requests_at_once_make_one_organization(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain)
    messages_before = await connorg.messages()
    answers = await asyncio.gather(*(connorg.submit(body) for _ in range(50)))
    assert {answer.status_code for answer in answers} <= {200, 201, 202}
    assert [answer.status_code for answer in answers].count(201) == 1
    [onboarding_id] = {answer.json()["id"] for answer in answers}
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    assert len(await connorg.listed(reference=partner.domain)) == 1
    assert len(await connorg.graph.organizations(partner)) == 1
    assert len(await connorg.graph.creates(partner)) == 1
    assert await connorg.messages() <= messages_before, "a closed onboarding needs none"


async def test_fifty_requests_with_one_key_make_one_organization(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain)
    submit = (connorg.submit(body, idempotency_key=partner.domain) for _ in range(50))
    answers = await asyncio.gather(*submit)
    assert {answer.status_code for answer in answers} <= {200, 201, 202}
    [onboarding_id] = {answer.json()["id"] for answer in answers}
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    assert len(await connorg.listed(reference=partner.domain)) == 1
    assert len(await connorg.graph.creates(partner)) == 1


async def test_http_and_the_queue_at_once_make_one_organization(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(reference=partner.domain)
    await connorg.graph.fail_creates(partner, "delay", seconds=2)
    answer, _, _ = await asyncio.gather(connorg.submit(body), connorg.put(body), connorg.put(body))
    assert (await connorg.ended(answer.json()["id"]))["status"] == "Succeeded"
    await connorg.taken()
    assert len(await connorg.listed(reference=partner.domain)) == 1
    assert len(await connorg.graph.creates(partner)) == 1


async def test_without_the_function_key_nothing_but_401(connorg: Connorg) -> None:
    partner = Partner()
    content = json.dumps(partner.body()).encode()
    for path in ("connected-organizations", "onboardings/x/retry"):
        answer = await connorg.call("POST", path, content=content, key=False)
        assert (answer.status_code, answer.content) == (401, b"")
    assert (await connorg.call("GET", "onboardings", key=False)).status_code == 401
    assert not await connorg.graph.calls(partner)


async def test_what_is_blank_has_its_usual_value_in_whatever_encoding(connorg: Connorg) -> None:
    partner = Partner()
    body = partner.body(description="n/a", state="", reference="undefined", displayName="Müller")
    content = json.dumps(body, ensure_ascii=False).encode("utf-16")
    answer = await connorg.call("POST", "connected-organizations", content=content)
    assert answer.status_code == 201, answer.text
    [organization] = await connorg.graph.organizations(partner)
    assert (organization["description"], organization["state"]) == ("Müller", "configured")
    assert answer.json()["reference"] is None
