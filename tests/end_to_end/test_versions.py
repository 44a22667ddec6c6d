"""Upgrade: work that an earlier version left is carried to its end. Rollback: what a newer one left
is neither lost nor buried.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from connorg.contract.storage_names import (
    CALLBACK_POISON_QUEUE,
    CALLBACK_QUEUE,
    LEDGER_TABLE,
    ONBOARDING_QUEUE,
    POISON_QUEUE,
)
from connorg.contract.versions import VERSION
from tests.end_to_end.client import Connorg, Json, Partner, eventually, problem
from tests.end_to_end.conftest import SHORT
from tests.receivers import receiving
from tests.recorded.recorded import VERSIONS, brought_up_to_date, messages, rows
from tests.stack import Stack

LEFT = "was left for a newer version"


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """Messages that are left for later stay in it."""
    with Stack(settings=SHORT) as stack:
        yield stack


@pytest.fixture(scope="module")
async def app(own_stack: Stack) -> AsyncIterator[Connorg]:
    async with Connorg(own_stack) as connorg:
        yield connorg


async def left_by(connorg: Connorg, version: str) -> dict[str, Json]:
    """Put into the ledger what a version left there, but its gate, which is closed."""
    left = {k: row for k, row in rows(version).items() if k not in {"gate", "onboarding failed"}}
    left = {kind: brought_up_to_date(row, version) for kind, row in left.items()}
    await write(connorg, *left.values())
    return left


async def write(connorg: Connorg, *written: Json) -> None:
    async with TableClient.from_connection_string(connorg.stack.storage, LEDGER_TABLE) as table:
        with suppress(ResourceExistsError):
            await table.create_table()
        for row in written:
            await table.upsert_entity(row, mode=UpdateMode.REPLACE)


def id_of(row: Json) -> str:
    return f"{row['PartitionKey']}-{row['RowKey'].removeprefix('onboarding-')}"


def request_in(row: Json) -> Json:
    return dict(json.loads(row["Onboarding"])["request"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_an_earlier_version_left_is_carried_to_its_end(
    app: Connorg, version: str
) -> None:
    left = await left_by(app, version)
    async with receiving() as receiver:
        for kind, message in messages(version).items():
            queue = CALLBACK_QUEUE if kind == "callback" else ONBOARDING_QUEUE
            text = json.dumps(brought_up_to_date(message, version))
            await app.put(re.sub(r"http://127.0.0.1:\d+", receiver.base, text), queue)
        for kind in ("waiting", "running", "replayed"):
            ended = await app.ended(id_of(left[f"onboarding {kind}"]))
            assert (ended["status"], ended["conclusion"]) == ("Succeeded", "created"), kind
        produced = await app.only_one_listed(reference="RITM0000003")
        assert (await app.ended(produced["id"]))["status"] == "Succeeded"
        await eventually(lambda: called(receiver.calls), "nobody is called back")
        [call] = receiver.calls
        assert call.told["id"] == id_of(left["onboarding waiting"])
    await app.emptied()
    assert await app.messages(POISON_QUEUE) == 0


async def called[T](calls: list[T]) -> list[T]:
    return calls


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_repeat_of_what_an_earlier_version_did_meets_it(app: Connorg, version: str) -> None:
    left = await left_by(app, version)
    succeeded = left["onboarding succeeded"]
    for headers in ({}, {"idempotency_key": "recorded-key"}):
        answer = await app.submit(request_in(succeeded), **headers)
        assert (answer.status_code, answer.json()["id"]) == (200, id_of(succeeded))
    answer = await app.submit(request_in(left["onboarding waiting"]))
    assert (answer.status_code, answer.json()["id"]) == (202, id_of(left["onboarding waiting"]))
    unreadable = await app.onboarding(id_of(left["onboarding unreadable"]))
    assert unreadable["lastError"]["code"] == "MessageUnreadable"
    joined = await app.onboarding(id_of(left["onboarding joined"]))
    assert (joined["status"], joined["lastError"]["code"]) == ("Canceled", "Joined")


QUEUES = {
    ONBOARDING_QUEUE: ONBOARDING_QUEUE,
    POISON_QUEUE: ONBOARDING_QUEUE,
    CALLBACK_QUEUE: CALLBACK_QUEUE,
    CALLBACK_POISON_QUEUE: CALLBACK_QUEUE,
}


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_message_of_a_newer_version_is_neither_lost_nor_buried(
    app: Connorg, queue: str
) -> None:
    kept_before = await app.messages(QUEUES[queue])
    failed = await app.listed(status="Failed")
    newer = {"version": VERSION + 1, "onboardingId": f"{'0' * 24}-{'0' * 32}", "work": [1, None]}
    await is_left(app, newer, queue)
    await holds(app, {POISON_QUEUE: 0, CALLBACK_POISON_QUEUE: 0, QUEUES[queue]: kept_before + 1})
    assert await app.listed(status="Failed") == failed


async def test_work_in_rows_of_a_newer_version_waits_until_that_is_back(app: Connorg) -> None:
    partner = Partner("waiting.recorded.example")
    before = await app.messages()
    left = await left_by(app, "1")
    await app.graph.forget_everything()
    row, claim = left["onboarding waiting"], left["claim waiting"]
    newer = json.dumps({"id": "of another form"})
    await write(app, {**row, "Version": VERSION + 1, "Onboarding": newer})
    for queue in (ONBOARDING_QUEUE, POISON_QUEUE):
        await is_left(app, messages("1")["waiting"], queue)
    for _ in range(3):
        answer = await app.submit(request_in(row))
        assert "rolled back" in problem(answer, 503, "StorageUnavailable")["detail"]
        assert answer.headers["retry-after"] == "300"
    problem(await app.call("GET", f"onboardings/{id_of(row)}"), 503, "StorageUnavailable")
    await holds(app, {ONBOARDING_QUEUE: before + 2, POISON_QUEUE: 0})
    assert not await app.graph.calls(partner)
    async with TableClient.from_connection_string(app.stack.storage, LEDGER_TABLE) as table:
        assert (await table.get_entity(row["PartitionKey"], row["RowKey"]))["Onboarding"] == newer

    await write(app, row, claim)  # which the version that is back can read
    await app.put(messages("1")["waiting"])
    assert (await app.ended(id_of(row)))["status"] == "Succeeded"
    assert len(await app.graph.organizations(partner)) == 1


async def holds(connorg: Connorg, numbers: Mapping[str, int]) -> None:
    """Wait until the queues hold so many messages, hidden or not, and none that is in hand."""

    async def as_many() -> bool:
        return {queue: await connorg.messages(queue) for queue in numbers} == numbers

    await eventually(as_many, f"the queues do not hold {numbers}")


async def is_left(connorg: Connorg, message: Json, queue: str) -> None:
    """Put a message, and wait until the log says that it is left for later."""
    before = connorg.stack.log.count(LEFT)
    await connorg.put(message, queue)
    await connorg.logged(LEFT, before + 1)
