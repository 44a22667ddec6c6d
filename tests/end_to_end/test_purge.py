"""The timer function PurgeLedger, run as an operator runs it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from azure.data.tables.aio import TableClient

from connorg.contract.identifiers import countdown, split_id
from connorg.contract.storage_names import LEDGER_TABLE
from connorg.storage.entities import onboarding_of
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.end_to_end.client import Connorg, Json, Partner, eventually

RUN = "/admin/functions/PurgeLedger"
TOLD = "onboardings and batches from before"
TWO_YEARS = timedelta(days=730)
DATE = re.compile(r'("lastActionDateTime":")\d{4}')


async def run_purge(connorg: Connorg, key: str = DEFAULT_MASTER_KEY) -> int:
    answer = await connorg.call(
        "POST",
        f"{connorg.stack.functions}{RUN}",
        content=b"{}",
        headers={"x-functions-key": key, "content-type": "application/json"},
    )
    return answer.status_code


async def rows_of(connorg: Connorg, onboarding_id: str) -> list[Any]:
    """All rows that name an onboarding, and the claim of its identity source."""
    partition, row = split_id(onboarding_id)
    async with TableClient.from_connection_string(connorg.stack.storage, LEDGER_TABLE) as table:
        return [
            entity
            async for entity in table.list_entities()
            if row in str(dict(entity))
            or (entity["PartitionKey"], entity["RowKey"]) == (partition, "claim")
        ]


async def let_two_years_pass(connorg: Connorg, onboarding_id: str) -> str:
    """Write all rows of an onboarding as if they were that old; give its id as it is then."""
    rows = await rows_of(connorg, onboarding_id)
    [held] = [row for row in rows if row["RowKey"].startswith("onboarding-")]
    begun = onboarding_of(held).created_date_time
    young, old = countdown(begun), countdown(begun - TWO_YEARS)
    async with TableClient.from_connection_string(connorg.stack.storage, LEDGER_TABLE) as table:
        for row in rows:
            await table.delete_entity(row)
            aged = {name: as_of(value, young, old) for name, value in row.items()}
            await table.upsert_entity(aged)
    return onboarding_id.replace(young, old)


def as_of(value: Any, young: str, old: str) -> Any:
    return DATE.sub(r"\g<1>2001", value.replace(young, old)) if isinstance(value, str) else value


async def test_the_purge_is_for_the_master_key(connorg: Connorg) -> None:
    assert await run_purge(connorg, connorg.stack.key) == 403


async def test_what_closed_long_ago_goes_and_what_is_asked_again_is_not_created_again(
    connorg: Connorg,
) -> None:
    partner, other = Partner(), Partner()
    tenant_id = "7f3d8d3c-2f8e-4d0b-9b93-6a0c0f6c7a10"
    await connorg.graph.register(partner.domain, tenant_id)
    first = await connorg.submit(partner.body(), idempotency_key=partner.domain)
    young = await connorg.submit(other.body())
    assert (first.status_code, young.status_code) == (201, 201)
    old_id = await let_two_years_pass(connorg, first.json()["id"])
    kinds = {row["RowKey"].partition("-")[0] for row in await rows_of(connorg, old_id)}
    assert kinds == {"claim", "onboarding", "key", "tenant"}
    assert (await connorg.onboarding(old_id))["status"] == "Succeeded", "it is still known"

    assert await run_purge(connorg) == 202

    async def is_gone() -> bool:
        return {row["RowKey"] for row in await rows_of(connorg, old_id)} == {"tenant"}

    await eventually(is_gone, "it is not purged")
    assert (await connorg.call("GET", f"onboardings/{old_id}")).status_code == 404
    kept = await connorg.onboarding(young.json()["id"])
    assert {name: kept[name] for name in young.json()} == young.json()

    again = await connorg.submit(partner.body(), idempotency_key=partner.domain)
    assert again.status_code == 200
    adopted: Json = again.json()
    assert adopted["conclusion"] == "existing"
    assert adopted["result"]["id"] == first.json()["result"]["id"]
    assert len(await connorg.graph.organizations(partner)) == 1


@pytest.mark.parametrize("status", ["Waiting", "Failed"])
async def test_what_is_replayed_or_waits_stays(connorg: Connorg, status: str) -> None:
    partner = Partner()
    fault = {"Waiting": {"retryAfter": 3}, "Failed": {"status": 400}}[status]
    kind = "throttle" if status == "Waiting" else "status"
    await connorg.graph.fail_creates(partner, kind, times=1, **fault)
    answer = await connorg.submit(partner.body(reference=partner.domain))
    [listed] = await connorg.listed(reference=partner.domain)
    onboarding_id = await let_two_years_pass(connorg, listed["id"])
    if status == "Failed":
        replay = await connorg.call("POST", f"onboardings/{onboarding_id}/retry")
        assert replay.status_code == 202, replay.text
    else:
        assert answer.status_code == 202
    before = connorg.stack.log.count(TOLD)
    assert await run_purge(connorg) == 202
    await connorg.logged(TOLD, before + 1)
    assert (await connorg.onboarding(onboarding_id))["id"] == onboarding_id
