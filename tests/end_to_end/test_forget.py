"""A partner is forgotten, and requested again: over HTTP, by whoever may delete."""

import csv
import io
import json
from typing import Any

import httpx
from azure.data.tables.aio import TableClient

from connorg.contract.storage_names import BATCHES_TABLE, LEDGER_TABLE
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.end_to_end.client import Connorg, Partner, eventually, problem

MASTER = {"x-functions-key": DEFAULT_MASTER_KEY}


async def forget(connorg: Connorg, **query: str) -> httpx.Response:
    path = f"onboardings/forget?{httpx.QueryParams(query)}"
    return await connorg.call("POST", path, headers=MASTER)


async def rows_with(connorg: Connorg, word: str) -> list[Any]:
    found = []
    for name in (LEDGER_TABLE, BATCHES_TABLE):
        async with TableClient.from_connection_string(connorg.stack.storage, name) as table:
            found += [row async for row in table.list_entities() if word in str(dict(row))]
    return found


async def test_a_partner_is_forgotten_and_not_created_again(connorg: Connorg) -> None:
    partner, other = Partner(), Partner()
    file = json.dumps([partner.body(), other.body()]).encode()
    headers = {"content-type": "application/json"}
    batch = await connorg.call("POST", "batches", content=file, headers=headers)
    assert batch.status_code == 202, batch.text
    address = f"batches/{batch.json()['id']}"

    async def is_done() -> bool:
        status: str = (await connorg.call("GET", address)).json()["status"]
        return status == "Succeeded"

    await eventually(is_done, "the batch does not end")
    again = await connorg.submit(partner.body(), idempotency_key=partner.domain)
    assert again.status_code == 200, again.text
    counts = (await connorg.call("GET", address)).json()["counts"]

    by_key = await connorg.call("POST", f"onboardings/forget?domain={partner.domain}")
    assert by_key.status_code == 401, "the function key is not enough"
    foretold = (await forget(connorg, domain=partner.domain, dryRun="true")).json()
    assert await rows_with(connorg, partner.domain)
    done = await forget(connorg, domain=partner.domain)
    assert (done.status_code, done.json()) == (200, {**foretold, "dryRun": False})
    assert done.json()["batchRows"]["count"] == 1
    assert done.json()["idempotencyKeys"]["count"] == 1

    assert not await rows_with(connorg, partner.domain)
    [gone] = done.json()["onboardings"]["ids"]
    for call in (("GET", ""), ("GET", "/result"), ("POST", "/retry"), ("DELETE", "")):
        answer = await connorg.call(call[0], f"onboardings/{gone}{call[1]}")
        problem(answer, 404, "OnboardingNotFound")
    assert (await connorg.call("GET", address)).json()["counts"] == counts
    results = await connorg.call("GET", f"{address}/results", headers={"accept": "text/csv"})
    names = [row["name"] for row in csv.DictReader(io.StringIO(results.text))]
    assert names == ["", other.domain]

    anew = await connorg.submit(partner.body(), idempotency_key=partner.domain)
    assert anew.status_code in {200, 201}, anew.text
    assert anew.json()["id"] != gone
    assert len(await connorg.graph.organizations(partner)) == 1
    assert len(await connorg.graph.creates(partner)) == 1


async def test_what_is_under_way_is_named(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=503)
    answer = await connorg.submit(partner.body(), prefer="respond-async")
    onboarding_id = answer.json()["id"]
    refused = problem(await forget(connorg, domain=partner.domain), 409, "PartnerUnderWay")
    assert onboarding_id in refused["detail"]
    assert (await connorg.onboarding(onboarding_id))["id"] == onboarding_id
