"""The routes of an onboarding: its status, its result, the list, replay and cancel."""

import asyncio
import csv
import io
import json
from typing import Any

import pytest

from tests.end_to_end.client import Connorg, Json, Partner, problem

MONITOR_FIELDS = [
    "id",
    "status",
    "request",
    "attempts",
    "lastError",
    "nextAttemptDateTime",
    "result",
    "reference",
    "createdDateTime",
    "lastActionDateTime",
]
NO_SUCH_ID = f"{'0' * 24}-{'0' * 32}"


async def failed(connorg: Connorg, partner: Partner, **changes: Any) -> str:
    """An onboarding that Graph refused; the partner stays unknown to Graph."""
    await connorg.graph.fail_creates(partner, "status", status=400, code="Refused", times=1)
    answer = await connorg.submit(partner.body(**changes))
    return str(problem(answer, 422, "RefusedByGraph")["onboardingId"])


async def waiting(connorg: Connorg, partner: Partner, **changes: Any) -> str:
    """An onboarding whose next attempt is some seconds away; Graph has done nothing for it."""
    await connorg.graph.fail_creates(partner, "status", status=423, times=1)
    return await connorg.accepted(partner.body(**changes))


async def canceled(connorg: Connorg, partner: Partner) -> str:
    onboarding_id = await waiting(connorg, partner)
    answer = await connorg.call("DELETE", f"onboardings/{onboarding_id}")
    assert answer.status_code == 200
    return onboarding_id


async def succeeded(connorg: Connorg, partner: Partner) -> str:
    answer = await connorg.submit(partner.body())
    assert answer.status_code == 201
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("arrange", "status"),
    [
        (succeeded, "Succeeded"),
        (failed, "Failed"),
        (waiting, "Waiting"),
        (canceled, "Canceled"),
    ],
)
async def test_the_monitor_always_answers_200_with_all_its_fields(
    connorg: Connorg, arrange: Any, status: str
) -> None:
    partner = Partner()
    onboarding = await connorg.onboarding(await arrange(connorg, partner))
    assert [*onboarding][: len(MONITOR_FIELDS)] == MONITOR_FIELDS
    assert onboarding["status"] == status
    assert onboarding["request"]["identitySources"][0]["domainName"] == partner.domain
    assert (onboarding["result"] is not None) == (status == "Succeeded")
    assert (onboarding["nextAttemptDateTime"] is not None) == (status == "Waiting")


async def test_an_onboarding_shows_nothing_of_connorgs_own_business(connorg: Connorg) -> None:
    onboarding = await connorg.onboarding(await succeeded(connorg, Partner()))
    assert onboarding.keys() == {
        *MONITOR_FIELDS,
        "source",
        "conclusion",
        "differences",
        "warnings",
        "history",
    }


async def test_the_result_needs_no_key_and_says_202_until_it_is_there(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "delay", seconds=1)
    accepted = await connorg.submit(partner.body(), prefer="respond-async")
    address = accepted.headers["location"]
    pending = await connorg.call("GET", address, key=False)
    assert pending.status_code == 202
    assert pending.headers["location"] == address
    assert int(pending.headers["retry-after"]) >= 1
    await connorg.ended(accepted.json()["id"])
    done = await connorg.call("GET", address, key=False)
    [organization] = await connorg.graph.organizations(partner)
    assert done.status_code == 200
    assert done.json()["id"] == organization["id"]


async def test_the_result_of_a_failure_is_a_problem_that_ends_polling(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400, code="Refused")
    address = (await connorg.submit(partner.body())).headers["location"]
    answer = await connorg.call("GET", address, key=False)
    told = problem(answer, 422, "RefusedByGraph")
    assert told["graphCode"] == "Refused"


async def test_the_result_of_a_canceled_one_is_gone(connorg: Connorg) -> None:
    onboarding_id = await waiting(connorg, Partner())
    canceled = await connorg.call("DELETE", f"onboardings/{onboarding_id}")
    address = canceled.headers["location"]
    problem(await connorg.call("GET", address, key=False), 410, "OnboardingCanceled")


@pytest.mark.parametrize("unknown", [NO_SUCH_ID, "x", "..%2f..", "'; drop", "0" * 500])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "onboardings/{}"),
        ("GET", "onboardings/{}/result"),
        ("POST", "onboardings/{}/retry"),
        ("DELETE", "onboardings/{}"),
    ],
)
async def test_there_is_no_such_onboarding(
    connorg: Connorg, method: str, path: str, unknown: str
) -> None:
    answer = await connorg.call(method, path.format(unknown))
    problem(answer, 404, "OnboardingNotFound")


async def test_the_list_has_the_newest_first_and_pages(connorg: Connorg) -> None:
    reference = Partner().domain
    ids = [
        (await connorg.submit(Partner().body(reference=reference))).json()["id"] for _ in range(5)
    ]
    found: list[str] = []
    page: Json = (await connorg.call("GET", f"onboardings?reference={reference}&top=2")).json()
    while True:
        assert len(page["value"]) <= 2
        found += [onboarding["id"] for onboarding in page["value"]]
        if "nextLink" not in page:
            break
        assert page["continuationToken"]
        page = (await connorg.call("GET", page["nextLink"])).json()
    assert found == ids[::-1]


async def test_the_list_filters_by_status_source_and_reference(connorg: Connorg) -> None:
    reference = Partner().domain
    refused = await failed(connorg, Partner(), reference=reference)
    done = await connorg.submit(Partner().body(reference=reference))
    await connorg.put(Partner().body(reference=f"{reference}-queue"))

    async def ids(**filters: str) -> list[str]:
        return [onboarding["id"] for onboarding in await connorg.listed(**filters)]

    assert await ids(reference=reference) == [done.json()["id"], refused]
    assert await ids(reference=reference, status="failed") == [refused]
    assert await ids(reference=reference, source="http", status="Succeeded") == [done.json()["id"]]
    assert await ids(reference=reference, source="queue") == []
    assert await ids(reference=f"{reference}' or Status ne '") == []
    queued = await connorg.only_one_listed(reference=f"{reference}-queue")
    assert queued["source"] == "queue"


@pytest.mark.parametrize(
    "query", ["status=Lost", "top=0", "top=101", "top=-1", "top=ten", "top=%D9%A1"]
)
async def test_a_filter_that_cannot_be_used_is_refused(connorg: Connorg, query: str) -> None:
    problem(await connorg.call("GET", f"onboardings?{query}"), 400, "InvalidParameter")


@pytest.mark.parametrize("token", ["x", "~", "%27%20or%20", "0" * 1000])
async def test_a_forged_continuation_is_no_failure(connorg: Connorg, token: str) -> None:
    answer = await connorg.call("GET", f"onboardings?continuationToken={token}")
    assert answer.status_code in {200, 400}


async def test_a_refusal_says_why_and_can_be_replayed(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400, code="Refused", times=1)
    told = problem(await connorg.submit(partner.body()), 422, "RefusedByGraph")
    assert told["graphCode"] == "Refused"
    assert told["graphRequestId"]
    assert told["action"]
    onboarding = await connorg.onboarding(told["onboardingId"])
    assert onboarding["status"] == "Failed"
    assert onboarding["lastError"]["graphCode"] == "Refused"

    replayed = await connorg.call("POST", f"onboardings/{onboarding['id']}/retry")
    assert replayed.status_code == 202
    assert f"{onboarding['id']}/result?token=" in replayed.headers["location"]
    assert (await connorg.ended(onboarding["id"]))["status"] == "Succeeded"
    assert len(await connorg.graph.organizations(partner)) == 1


async def test_a_replay_at_once_with_another_is_carried_out_once(connorg: Connorg) -> None:
    partner = Partner()
    onboarding_id = await failed(connorg, partner)
    await connorg.graph.fail_creates(partner, "delay", seconds=1)
    path = f"onboardings/{onboarding_id}/retry"
    answers = await asyncio.gather(*(connorg.call("POST", path) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    statuses = [call["status"] for call in await connorg.graph.creates(partner)]
    assert statuses == [400, 201]


async def test_all_that_failed_and_match_are_replayed_at_once(connorg: Connorg) -> None:
    partners = [Partner() for _ in range(3)]
    reference = partners[0].domain
    ids = {await failed(connorg, partner, reference=reference) for partner in partners}
    path = f"onboardings/retry?reference={reference}"
    told = await connorg.call("POST", f"{path}&dryRun=true")
    assert (told.status_code, {*told.json()["replayed"]}) == (200, ids)
    assert {o["status"] for o in await connorg.listed(reference=reference)} == {"Failed"}

    replayed = await connorg.call("POST", path)
    assert (replayed.status_code, {*replayed.json()["replayed"]}) == (202, ids)
    for onboarding_id in ids:
        assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    assert all([len(await connorg.graph.organizations(partner)) == 1 for partner in partners])


async def test_failures_are_understood_by_one_call_and_replayed_by_another(
    connorg: Connorg,
) -> None:
    partners = [Partner() for _ in range(5)]
    reference = partners[0].domain
    refused = {await failed(connorg, partner, reference=reference) for partner in partners[:3]}
    for partner in partners[3:]:
        quota = {"status": 403, "code": "QuotaLimitExceeded"}
        await connorg.graph.fail_creates(partner, "status", **quota)
        await connorg.submit(partner.body(reference=reference))
    await connorg.graph.heal()
    full = {o["id"] for o in await connorg.listed(reference=reference)} - refused

    summary = (await connorg.call("GET", f"onboardings/summary?reference={reference}")).json()
    causes = {cause["code"]: cause for cause in summary["byCode"]}
    assert {code: cause["count"] for code, cause in causes.items()} == {
        "RefusedByGraph": 3,
        "TenantFull": 2,
    }
    assert causes["TenantFull"]["example"] in full
    assert causes["TenantFull"]["action"]
    assert (summary["total"], summary["byStatus"]["Failed"], summary["gate"]["open"]) == (
        5,
        5,
        True,
    )

    path = f"onboardings/retry?reference={reference}&code=TenantFull"
    dry = (await connorg.call("POST", f"{path}&dryRun=true")).json()
    assert {one["partner"] for one in dry["onboardings"]} == {p.domain for p in partners[3:]}
    assert {one["code"] for one in dry["onboardings"]} == {"TenantFull"}
    replayed = await connorg.call("POST", path)
    assert set(replayed.json()["replayed"]) == full
    for onboarding_id in full:
        assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"
    left = await connorg.listed(reference=reference, status="Failed")
    assert {o["id"] for o in left} == refused


@pytest.mark.parametrize(
    "counts", [(5, 3, 2), pytest.param((20, 12, 8), marks=pytest.mark.slow)], ids=sum
)
async def test_failures_of_three_causes_take_two_calls(
    connorg: Connorg, counts: tuple[int, int, int]
) -> None:
    refused, full, taken = ([Partner() for _ in range(count)] for count in counts)
    reference = refused[0].domain
    for partner in refused:
        await failed(connorg, partner, reference=reference)
    for partner in full:
        await connorg.graph.fail_creates(partner, "status", status=403, code="QuotaLimitExceeded")
        await connorg.submit(partner.body(reference=reference))
    await connorg.graph.heal()
    for partner in taken:
        await connorg.graph.make_by_hand(partner)
        await connorg.submit(partner.body(reference=reference, ifExists="fail"))

    summary = (await connorg.call("GET", f"onboardings/summary?reference={reference}")).json()
    assert [(cause["code"], cause["count"]) for cause in summary["byCode"]] == [
        ("RefusedByGraph", len(refused)),
        ("TenantFull", len(full)),
        ("AlreadyConnected", len(taken)),
    ]
    assert all(cause["action"] for cause in summary["byCode"][:2])
    replayed = (await connorg.call("POST", f"onboardings/retry?reference={reference}")).json()
    assert len(replayed["replayed"]) == sum(counts)
    for onboarding_id in replayed["replayed"][len(taken) :]:
        assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"


@pytest.mark.parametrize("act", ["retry", "cancel"])
async def test_nothing_is_done_to_all_unless_it_is_asked_for(connorg: Connorg, act: str) -> None:
    answer = await connorg.call("POST", f"onboardings/{act}")
    problem(answer, 400, "InvalidParameter")
    both = await connorg.call("POST", f"onboardings/{act}?all=true&text=nobody")
    problem(both, 400, "InvalidParameter")


async def test_onboardings_are_listed_as_csv(connorg: Connorg) -> None:
    partner = Partner()
    await failed(connorg, partner, reference=partner.domain)
    path = f"onboardings?reference={partner.domain}"
    answer = await connorg.call("GET", path, headers={"Accept": "text/csv"})
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["status"], row["partner"], row["code"]) == (
        "Failed",
        partner.domain,
        "RefusedByGraph",
    )


async def test_only_what_failed_is_replayed(connorg: Connorg) -> None:
    for arrange in (succeeded, canceled):
        onboarding_id = await arrange(connorg, Partner())
        answer = await connorg.call("POST", f"onboardings/{onboarding_id}/retry")
        problem(answer, 409, "OnboardingNotReplayable")


async def test_a_failed_request_sent_again_begins_anew(connorg: Connorg) -> None:
    partner = Partner()
    first = await failed(connorg, partner)
    again = await connorg.submit(partner.body())
    assert again.status_code == 201
    assert again.json()["id"] != first
    replay = await connorg.call("POST", f"onboardings/{first}/retry")
    problem(replay, 409, "AlreadyConnected")


async def test_what_waits_is_canceled_and_never_sent_to_graph_again(connorg: Connorg) -> None:
    partner = Partner()
    onboarding_id = await waiting(connorg, partner)
    for _ in range(2):
        answer = await connorg.call("DELETE", f"onboardings/{onboarding_id}")
        assert (answer.status_code, answer.json()["status"]) == (200, "Canceled")
    message = {"onboardingId": onboarding_id, "request": partner.body(), "source": "http"}
    await connorg.put(message)
    await connorg.taken()
    assert (await connorg.onboarding(onboarding_id))["status"] == "Canceled"
    assert len(await connorg.graph.creates(partner)) == 1


async def test_what_is_done_or_under_way_is_not_canceled(connorg: Connorg) -> None:
    done = await succeeded(connorg, Partner())
    answer = await connorg.call("DELETE", f"onboardings/{done}")
    problem(answer, 409, "OnboardingNotCancelable")
    partner = Partner()
    await connorg.graph.fail_creates(partner, "delay", seconds=1)
    running = await connorg.accepted(partner.body(), prefer="wait=0")
    await connorg.graph.create_seen(partner)
    answer = await connorg.call("DELETE", f"onboardings/{running}")
    problem(answer, 409, "OnboardingNotCancelable")
    assert (await connorg.ended(running))["status"] == "Succeeded"


async def test_a_canceled_partner_can_be_asked_for_again(connorg: Connorg) -> None:
    partner = Partner()
    first = await canceled(connorg, partner)
    again = await connorg.submit(partner.body())
    assert again.status_code == 201
    assert again.json()["id"] != first


@pytest.mark.parametrize("method", ["PUT", "PATCH", "GET"])
async def test_a_method_that_a_route_does_not_have_is_404(connorg: Connorg, method: str) -> None:
    answer = await connorg.call(method, "onboardings/x/retry")
    assert answer.status_code == 404


async def test_health_needs_no_key_and_names_each_check(connorg: Connorg) -> None:
    answer = await connorg.call("GET", "health", key=False)
    assert answer.status_code == 200
    assert {check["name"]: check["status"] for check in answer.json()["checks"]} == dict.fromkeys(
        ("ledger", "queue", "identity", "graph", "tenantLookup"), "healthy"
    )


async def test_an_answer_says_what_it_did_in_the_words_of_the_history(connorg: Connorg) -> None:
    partner = Partner()
    made, again = await connorg.submit(partner.body()), await connorg.submit(partner.body())
    failure, later = await failed(connorg, Partner()), await waiting(connorg, Partner())
    address = f"connected-organizations/{made.json()['result']['id']}"
    change = json.dumps({"description": "Another"}).encode()
    changed = await connorg.call("PATCH", address, content=change)
    replayed = await connorg.call("POST", f"onboardings/{failure}/retry")
    canceled = await connorg.call("DELETE", f"onboardings/{later}")
    asked = json.dumps([Partner().body()]).encode()
    batch = await connorg.call("POST", "batches", content=asked)
    steps = [
        answer.headers["connorg-step"]
        for answer in (made, again, changed, replayed, canceled, batch)
    ]
    assert steps == ["created", "existing", "updated", "replayed", "canceled", "accepted"]
    for answer in (made, replayed, canceled):
        [word] = answer.headers.get_list("connorg-step")
        told = (await connorg.onboarding(answer.json()["id"]))["history"]
        assert word in {step["step"] for step in told}
    content = json.dumps(partner.body()).encode()
    dry = await connorg.call("POST", "connected-organizations?dryRun=true", content=content)
    assert (dry.status_code, "connorg-step" in dry.headers) == (200, False)
