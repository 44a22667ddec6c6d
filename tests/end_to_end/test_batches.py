"""A file of partners, from its 202 to the results of its rows."""

import csv
import io
from uuid import uuid4

import pytest

from connorg.contract.storage_names import BATCH_POISON_QUEUE, BATCH_QUEUE
from tests.end_to_end.batches import (
    JSON,
    accepted,
    bodies,
    ended,
    partners,
    read,
    results,
    send,
)
from tests.end_to_end.client import Connorg, Json, Partner, eventually, problem

NO_COUNTS = dict.fromkeys(
    ("NotStarted", "Waiting", "Succeeded", "Failed", "Canceled", "Invalid"), 0
)


async def test_every_row_of_a_file_becomes_one_organization(connorg: Connorg) -> None:
    rows = partners(5)
    answer = await send(connorg, bodies(rows), "?reference=REQ0042")
    assert answer.status_code == 202
    begun = answer.json()
    address = f"{connorg.stack.functions}/api/batches/{begun['id']}"
    assert answer.headers["location"] == address
    assert answer.headers["operation-location"] == address
    assert int(answer.headers["retry-after"]) >= 1
    assert begun["rows"] == 5

    told = await ended(connorg, begun["id"])
    assert told == {
        "id": begun["id"],
        "status": "Succeeded",
        "createdDateTime": begun["createdDateTime"],
        "lastActionDateTime": told["lastActionDateTime"],
        "reference": "REQ0042",
        "rows": 5,
        "counts": {**NO_COUNTS, "Succeeded": 5},
        "conclusions": {"created": 5},
        "perSecond": None,
        "secondsLeft": None,
        "firstErrors": [],
        "ignoredColumns": [],
    }
    for number, (partner, result) in enumerate(
        zip(rows, await results(connorg, begun["id"]), strict=True), 1
    ):
        [organization] = await connorg.graph.organizations(partner)
        assert result == {
            "row": number,
            "name": partner.domain,
            "status": "Succeeded",
            "conclusion": "created",
            "onboardingId": result["onboardingId"],
            "organizationId": organization["id"],
            "attempts": 1,
        }
        onboarding = await connorg.onboarding(result["onboardingId"])
        assert onboarding["reference"] == "REQ0042"
        assert onboarding["source"] == "batch"
    listed = await connorg.listed(batch=begun["id"])
    assert {o["id"] for o in listed} == {
        r["onboardingId"] for r in await results(connorg, begun["id"])
    }
    assert await connorg.listed(batch=begun["id"], status="Failed") == []


async def test_a_file_with_faults_is_refused_with_all_of_them(untouched: Connorg) -> None:
    good, bad = Partner(), Partner()
    rows = [good.body(), bad.body(state="approved", displayName=""), {"displayName": "Nobody"}]
    before = await untouched.footprint()
    told = problem(await send(untouched, rows), 422, "InvalidValues")
    found = {(fault["row"], fault["pointer"]) for fault in told["errors"]}
    assert {(2, "/state"), (2, "/displayName"), (3, "/state"), (3, "/identitySources")} <= found
    assert {row for row, _ in found} == {2, 3}
    assert all(fault["detail"] for fault in told["errors"])
    assert await untouched.footprint() == before


async def test_the_good_rows_of_a_file_with_faults_go_on_if_asked(connorg: Connorg) -> None:
    good, bad = Partner(), Partner()
    batch = await accepted(connorg, [bad.body(state="approved"), good.body()], "?onInvalid=skip")
    told = await ended(connorg, batch)
    assert told["status"] == "Failed"
    assert told["counts"] == {**NO_COUNTS, "Succeeded": 1, "Invalid": 1}
    [first] = told["firstErrors"]
    assert (first["row"], first["name"]) == (1, bad.domain)
    assert first["error"]["code"] == "InvalidValues"
    assert first["error"]["action"]
    invalid, succeeded = await results(connorg, batch)
    assert (invalid["status"], invalid["errorCode"]) == ("Invalid", "InvalidValues")
    assert "'configured' or 'proposed'" in invalid["error"]
    assert succeeded["status"] == "Succeeded"
    assert not await connorg.graph.calls(bad)
    assert len(await connorg.graph.organizations(good)) == 1


async def test_a_double_comes_to_what_the_first_row_came_to(connorg: Connorg) -> None:
    partner, other = Partner(), Partner()
    batch = await accepted(connorg, bodies([partner, other, partner]))
    told = await ended(connorg, batch)
    assert told["counts"] == {**NO_COUNTS, "Succeeded": 3}
    assert told["conclusions"] == {"created": 2}
    first, _, double = await results(connorg, batch)
    assert double == {**first, "row": 3, "duplicateOf": 1}
    assert len(await connorg.graph.creates(partner)) == 1


async def test_rows_that_were_onboarded_before_are_recognised(connorg: Connorg) -> None:
    known, contradicted = Partner(), Partner()
    for partner in (known, contradicted):
        await connorg.submit(partner.body())
    rows = [known.body(), contradicted.body(displayName="Other")]
    batch = await accepted(connorg, rows)
    told = await ended(connorg, batch)
    assert told["counts"] == {**NO_COUNTS, "Succeeded": 1, "Failed": 1}
    assert told["conclusions"] == {"existing": 1}
    existing, failed = await results(connorg, batch)
    [organization] = await connorg.graph.organizations(known)
    assert existing["organizationId"] == organization["id"]
    assert failed["errorCode"] == "IdentitySourceInUse"
    assert len(await connorg.graph.creates(known)) == 1


async def test_a_row_waits_for_the_request_that_it_joins(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, times=1)
    single = await connorg.accepted(partner.body())
    batch = await accepted(connorg, [partner.body()])
    told = await ended(connorg, batch)
    assert told["conclusions"] == {"existing": 1}
    [row] = await results(connorg, batch)
    assert row["onboardingId"] == single
    assert row["organizationId"] == (await connorg.ended(single))["result"]["id"]
    assert await connorg.listed(batch=batch) == []


async def test_what_the_policy_refuses_is_a_fault_of_its_row(connorg: Connorg) -> None:
    rows = [Partner("gmail.com").body()]
    [fault] = problem(await send(connorg, rows), 422, "InvalidValues")["errors"]
    assert (fault["row"], fault["rule"]) == (1, "publicMail")
    batch = await accepted(connorg, rows, "?onInvalid=skip")
    assert (await read(connorg, batch))["counts"] == {**NO_COUNTS, "Invalid": 1}


async def test_a_row_that_asks_to_be_called_back_is_refused(connorg: Connorg) -> None:
    rows = [Partner().body(callbackUrl="https://x.logic.azure.com/none-is-called-for-a-row")]
    [fault] = problem(await send(connorg, rows), 422, "InvalidValues")["errors"]
    assert fault["pointer"] == "/callbackUrl"


async def test_what_graph_refuses_fails_and_is_replayed(connorg: Connorg) -> None:
    good, refused = Partner(), Partner()
    await connorg.graph.fail_creates(refused, "status", status=400, times=1)
    batch = await accepted(connorg, bodies([good, refused]))
    told = await ended(connorg, batch)
    assert told["status"] == "Failed"
    assert told["counts"] == {**NO_COUNTS, "Succeeded": 1, "Failed": 1}
    [error] = told["firstErrors"]
    assert (error["row"], error["name"]) == (2, refused.domain)
    assert error["error"]["code"] == "RefusedByGraph"

    answer = await connorg.call("POST", f"batches/{batch}/retry")
    assert answer.status_code == 202
    assert answer.headers["location"].endswith(f"/batches/{batch}")
    assert answer.json()["status"] == "Running", "not what it was before the replay"
    assert (await ended(connorg, batch))["counts"] == {**NO_COUNTS, "Succeeded": 2}
    for partner in (good, refused):
        assert len(await connorg.graph.organizations(partner)) == 1
    assert len(await connorg.graph.creates(good)) == 1


async def test_a_replay_of_one_onboarding_is_noted_in_its_batch(connorg: Connorg) -> None:
    refused = Partner()
    await connorg.graph.fail_creates(refused, "status", status=400, times=1)
    batch = await accepted(connorg, bodies([refused]))
    await ended(connorg, batch)
    [row] = await results(connorg, batch)
    assert (await connorg.call("POST", f"onboardings/{row['onboardingId']}/retry")).is_success

    async def is_noted() -> bool:
        return bool((await read(connorg, batch))["status"] == "Succeeded")

    await eventually(is_noted, "the replay is not noted")


async def test_a_cancel_ends_what_waits_and_nothing_comes_of_it(connorg: Connorg) -> None:
    done, waiting = Partner(), Partner()
    await connorg.graph.fail_creates(waiting, "status", status=423)
    batch = await accepted(connorg, bodies([done, waiting]))

    async def one_waits() -> Json | None:
        told = await read(connorg, batch)
        return told if told["counts"]["Waiting"] and told["counts"]["Succeeded"] else None

    told = await eventually(one_waits, "no row waits")
    assert told["status"] == "Running"
    answer = await connorg.call("DELETE", f"batches/{batch}")
    assert answer.status_code == 200
    assert answer.json()["status"] == "Canceled"
    assert answer.json()["counts"] == {**NO_COUNTS, "Succeeded": 1, "Canceled": 1}
    _, row = await results(connorg, batch)
    assert (await connorg.ended(row["onboardingId"]))["status"] == "Canceled"
    assert await connorg.graph.organizations(waiting) == []
    again = await connorg.call("DELETE", f"batches/{batch}")
    assert (again.status_code, again.json()["status"]) == (200, "Canceled")


async def test_the_results_are_a_table_without_formulas(connorg: Connorg) -> None:
    partner = Partner()
    rows = [partner.body(), Partner("=1+1").body()]
    batch = await accepted(connorg, rows, "?onInvalid=skip")
    await ended(connorg, batch)
    answer = await connorg.call("GET", f"batches/{batch}/results", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    succeeded, invalid = csv.DictReader(io.StringIO(answer.text))
    assert list(succeeded) == [
        "row",
        "name",
        "status",
        "conclusion",
        "onboardingId",
        "organizationId",
        "tenantId",
        "attempts",
        "duplicateOf",
        "errorCode",
        "error",
        "action",
    ]
    assert (succeeded["row"], succeeded["name"]) == ("1", partner.domain)
    assert (succeeded["status"], succeeded["attempts"]) == ("Succeeded", "1")
    assert (invalid["row"], invalid["name"]) == ("2", "'=1+1")
    assert invalid["action"]


async def test_a_file_sent_again_with_its_key_is_the_same_batch(connorg: Connorg) -> None:
    rows, key = bodies(partners(3)), Partner().domain
    batch = await accepted(connorg, rows, idempotency_key=key)
    assert await accepted(connorg, rows, idempotency_key=key) == batch
    await ended(connorg, batch)
    assert await accepted(connorg, rows, idempotency_key=key) == batch
    assert (await read(connorg, batch))["counts"] == {**NO_COUNTS, "Succeeded": 3}
    problem(await send(connorg, rows[:2], idempotency_key=key), 422, "IdempotencyKeyReused")


async def test_a_file_sent_again_without_a_key_creates_nothing_twice(connorg: Connorg) -> None:
    rows = partners(3)
    first, second = [await accepted(connorg, bodies(rows)) for _ in range(2)]
    assert first != second
    for batch in (first, second):
        assert (await ended(connorg, batch))["status"] == "Succeeded"
    for partner in rows:
        assert len(await connorg.graph.creates(partner)) == 1


async def test_a_file_that_is_too_large_or_none_is_refused(connorg: Connorg) -> None:
    body = Partner().body()
    problem(await send(connorg, [body] * 5_001), 413, "BodyTooLarge")
    spaces = b"[" + b" " * 4_000_000 + b"]"
    answer = await connorg.call("POST", "batches", content=spaces, headers={"content-type": JSON})
    problem(answer, 413, "BodyTooLarge")
    problem(await send(connorg, []), 400, "MalformedBody")
    answer = await connorg.call("POST", "batches", content=b"")
    problem(answer, 400, "MalformedBody")


async def test_a_spreadsheet_is_taken_with_its_own_row_numbers(connorg: Connorg) -> None:
    partner = Partner()
    rows = f"{partner.domain};The {partner.domain};red\r\n;Nobody;\r\n"
    text = f"\ufeffDomain;Organization name;Colour\r\n{rows}"
    answer = await connorg.call(
        "POST",
        "batches?onInvalid=skip",
        content=text.encode(),
        headers={"content-type": "text/csv"},
    )
    assert answer.status_code == 202, answer.text
    told = await ended(connorg, answer.json()["id"])
    assert told["ignoredColumns"] == ["Colour"]
    first, second = await results(connorg, told["id"])
    assert (first["row"], first["status"]) == (2, "Succeeded")
    assert (second["row"], second["status"]) == (3, "Invalid")
    [organization] = await connorg.graph.organizations(partner)
    assert organization["displayName"] == f"The {partner.domain}"


@pytest.mark.parametrize("query", ["?onInvalid=ignore", "?dryRun=maybe", f"?reference={'x' * 300}"])
async def test_a_parameter_that_cannot_be_used_is_refused(connorg: Connorg, query: str) -> None:
    problem(await send(connorg, [Partner().body()], query), 400, "InvalidParameter")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/results"), ("POST", "/retry"), ("DELETE", "")]
)
@pytest.mark.parametrize("batch", ["batch-0", f"batch-{'0' * 32}"])
async def test_an_unknown_batch_is_not_found(
    connorg: Connorg, method: str, path: str, batch: str
) -> None:
    problem(await connorg.call(method, f"batches/{batch}{path}"), 404, "BatchNotFound")


async def test_a_dry_run_says_what_each_row_would_come_to(untouched: Connorg) -> None:
    known, changed, conflicting, new = partners(4)
    for partner in (known, changed, conflicting):
        await untouched.submit(partner.body())
    rows = [
        new.body(),
        known.body(),
        changed.body(ifExists="update", displayName="Other"),
        conflicting.body(displayName="Other"),
        new.body(),
        Partner("gmail.com").body(),
        Partner().body(state="approved"),
    ]
    before = await untouched.ledger_rows(), await untouched.messages(BATCH_QUEUE)
    answer = await send(untouched, rows, "?dryRun=true")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["dryRun"] is True
    assert told["counts"] == {
        "create": 1,
        "exists": 1,
        "update": 1,
        "underWay": 0,
        "refused": 2,
        "duplicate": 1,
        "invalid": 1,
    }
    create, exists, update, conflict, double, refused, invalid = told["rows"]
    assert create == {"row": 1, "name": new.domain, "prospect": "create"}
    [organization] = await untouched.graph.organizations(known)
    assert exists["organizationId"] == organization["id"]
    assert exists["onboardingId"]
    assert (exists["prospect"], update["prospect"]) == ("exists", "update")
    assert conflict["error"]["code"] == "IdentitySourceInUse"
    assert (double["prospect"], double["duplicateOf"]) == ("duplicate", 1)
    assert refused["errors"][0]["rule"] == "publicMail"
    assert invalid["errors"][0]["pointer"] == "/state"
    after = await untouched.ledger_rows(), await untouched.messages(BATCH_QUEUE)
    assert after == before
    assert not await untouched.graph.creates(new)


async def test_a_dry_run_knows_what_is_under_way(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, times=1)
    onboarding = await connorg.accepted(partner.body())
    [row] = (await send(connorg, [partner.body()], "?dryRun=true")).json()["rows"]
    assert (row["prospect"], row["onboardingId"]) == ("underWay", onboarding)
    await connorg.ended(onboarding)


async def test_others_are_served_while_no_row_of_a_batch_gets_on(connorg: Connorg) -> None:
    """How long they wait for a turn is held by tests/simulation/test_turns.py."""
    crowd = uuid4().hex[:12]
    await connorg.graph.fail(
        {"method": "POST", "body": crowd, "fault": "status", "status": 423, "code": "locked"}
    )
    rows = [Partner(f"{crowd}-{number}.example") for number in range(20)]
    batch = await accepted(connorg, bodies(rows))
    assert (await connorg.submit(Partner().body())).status_code == 201
    queued = Partner()
    await connorg.put(queued.body(reference=queued.domain))
    listed = await connorg.only_one_listed(reference=queued.domain)
    assert (await connorg.ended(listed["id"]))["status"] == "Succeeded"
    counts = (await read(connorg, batch))["counts"]
    assert counts["NotStarted"] + counts["Waiting"] == 20
    canceled = await connorg.call("DELETE", f"batches/{batch}")  # their pauses are long
    assert canceled.json()["counts"] == {**NO_COUNTS, "Canceled": 20}


async def test_a_row_that_the_host_gave_up_fails_and_is_replayed(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=423, times=1)
    batch = await accepted(connorg, bodies([partner]))

    async def waits() -> bool:
        return bool((await read(connorg, batch))["counts"]["Waiting"])

    await eventually(waits, "the row does not wait")
    [row] = await results(connorg, batch)
    message = {
        "onboardingId": row["onboardingId"],
        "request": partner.body(),
        "source": "batch",
        "batchRow": {"batch": batch, "row": 1},
    }
    await connorg.put(message, BATCH_POISON_QUEUE)
    told = await ended(connorg, batch)
    assert told["counts"] == {**NO_COUNTS, "Failed": 1}
    assert told["firstErrors"][0]["error"]["code"] == "MessagePoisoned"
    assert (await connorg.onboarding(row["onboardingId"]))["status"] == "Failed"

    await connorg.call("POST", f"batches/{batch}/retry")
    assert (await ended(connorg, batch))["status"] == "Succeeded"
    assert len(await connorg.graph.organizations(partner)) == 1


@pytest.mark.parametrize("queue", [BATCH_QUEUE, BATCH_POISON_QUEUE])
async def test_what_no_batch_put_on_its_queue_does_no_harm(connorg: Connorg, queue: str) -> None:
    texts = ["{neither}", "[]", '{"batchId": "batch-1"}', f'{{"batchId": "batch-{"0" * 32}"}}']
    for text in texts:
        await connorg.put(text, queue)

    async def is_gone() -> bool:
        return await connorg.messages(queue) == 0

    await eventually(is_gone, "what can't be understood comes again and again")


async def test_a_row_without_a_name_takes_its_tenants_and_its_results_ask_for_the_same(
    connorg: Connorg,
) -> None:
    known, unknown = Partner(), Partner()
    tenant = {"tenantId": str(uuid4()), "displayName": "Tailspin Toys", "domains": []}
    home = {"tenantId": str(uuid4()), "displayName": "Home", "defaultDomainName": "h.test"}
    await connorg.graph.enroll(home, {**tenant, "defaultDomainName": known.domain})
    file = f"#TYPE x\nDomainOrTenantId\n{known.domain}\n{unknown.domain}\n".encode()
    answer = await connorg.call("POST", "batches", content=file)
    assert answer.status_code == 202, answer.text
    batch = str(answer.json()["id"])
    await ended(connorg, batch)
    names = []
    for row in await results(connorg, batch):
        found = await connorg.call("GET", f"connected-organizations/{row['organizationId']}")
        names.append((found.json()["displayName"], found.json()["description"]))
    assert names == [("Tailspin Toys",) * 2, (unknown.domain,) * 2]
    told = await connorg.call("GET", f"batches/{batch}/results", headers={"accept": "text/csv"})
    again = await connorg.call("POST", "batches?dryRun=true", content=told.content)
    assert [row["prospect"] for row in again.json()["rows"]] == ["exists", "exists"]


async def test_a_dry_run_says_which_of_two_names_is_used(connorg: Connorg) -> None:
    partner, tenant_id = Partner(), str(uuid4())
    file = f"Domain;Tenant ID;Company\n{partner.domain};{tenant_id};Contoso\n".encode()
    answer = await connorg.call("POST", "batches?dryRun=true", content=file)
    [row] = answer.json()["rows"]
    assert (row["name"], row["prospect"]) == (tenant_id, "create")
    assert row["note"] == f"Tenant ID is used, not Domain ({partner.domain})."
