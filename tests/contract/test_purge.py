"""What a purge deletes and what it leaves, on the simulated table and on Azurite's."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ServiceRequestError

from connorg.contract.identifiers import split_id
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.versions import VERSION
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Connected
from connorg.core.domain.timing import Timing
from connorg.core.ports import KeyReservation, StorageUnavailableError, SupersededError
from connorg.storage.entities import etag_of, if_unchanged
from connorg.storage.gate import AzureGateStore
from connorg.storage.ledger import AzureLedger
from tests.contract.conftest import LONG
from tests.contract.test_ledger import ERROR, NOW, created, onboarding, opened, partner
from tests.simulation.storage import SimulatedTableClient, Table

LONG_AGO = NOW - timedelta(days=400)
LIMIT = NOW - timedelta(days=365)


@pytest.fixture
def table(any_table: Any) -> Any:
    return any_table


@pytest.fixture
def ledger(table: Any) -> AzureLedger:
    return AzureLedger(table)


async def rows(table: Any) -> set[str]:
    """The names of all rows."""
    found = table.query_entities("RowKey gt @all", parameters={"all": " "})
    return {row["RowKey"] async for row in found}


async def purged(ledger: AzureLedger) -> int:
    return sum([count async for count in ledger.purge(LIMIT)])


async def closed(
    ledger: AzureLedger, status: Status = Status.FAILED, at: datetime = LONG_AGO, **begun: Any
) -> Onboarding:
    held = await opened(ledger, onboarding(**{"at": at, **begun}))
    if status is Status.SUCCEEDED:
        running = await ledger.save(lifecycle.begin(held, at, Timing()))
        done = lifecycle.conclude(running, Connected(*created()), at, Timing(), Random())
        return await ledger.save(done)
    return await ledger.save(lifecycle.move(held, status, at))


def reopened(failed: Onboarding) -> Onboarding:
    return lifecycle.reopen(failed, "replay", NOW, Timing())


async def test_nothing_is_purged_where_nothing_was_onboarded(ledger: AzureLedger) -> None:
    assert await purged(ledger) == 0


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELED])
async def test_all_that_belongs_to_what_closed_long_ago_goes(
    ledger: AzureLedger, table: Any, status: Status
) -> None:
    old = await closed(ledger, status)
    await ledger.record_callback(await ledger.callback(old.id, "callback-1"))
    await ledger.reserve_key("caller", "key", KeyReservation("a", old.id))
    joined = await ledger.record(lifecycle.join(onboarding(at=LONG_AGO), old, LONG_AGO))
    assert await purged(ledger) == 2
    assert await rows(table) == set()
    assert await ledger.read(old.id) is None
    assert await ledger.read(joined.id) is None


async def test_what_is_left_of_who_was_forgotten_goes_too(ledger: AzureLedger, table: Any) -> None:
    old = await closed(ledger, Status.SUCCEEDED)
    await ledger.save(lifecycle.forget(old))
    assert await purged(ledger) == 1
    assert await rows(table) == set()


async def test_a_tenant_stays_known_by_what_was_purged(ledger: AzureLedger, table: Any) -> None:
    """So that whoever knows it by another name looks Graph up first."""
    tenant_id = str(uuid4())
    old = await closed(ledger, Status.SUCCEEDED)
    await ledger.claim_tenant(tenant_id, old)
    await purged(ledger)
    assert await rows(table) == {"tenant"}
    newcomer = await opened(ledger, onboarding())
    told = await ledger.claim_tenant(tenant_id, newcomer)
    assert told is not None
    assert (told.id, told.status.terminal) == (old.id, True)
    assert abs(told.last_action_date_time - LONG_AGO) < timedelta(milliseconds=2)
    assert await ledger.claim_tenant(tenant_id, newcomer) == told, "until it has looked"
    assert await ledger.claim_tenant(tenant_id, newcomer, told) is None
    assert await ledger.claim_tenant(tenant_id, newcomer) is None


@pytest.mark.parametrize("ended", [None, "delivered"])
async def test_who_is_still_to_be_called_back_keeps_an_onboarding(
    ledger: AzureLedger, ended: str | None
) -> None:
    old = await closed(ledger, Status.SUCCEEDED)
    note = await ledger.callback(old.id, "callback-1")
    await ledger.record_callback(note.model_copy(update={"due": NOW, "ended": ended}))
    assert await purged(ledger) == (0 if ended is None else 1)
    assert (await ledger.read(old.id) is None) == (ended is not None)


async def test_what_is_open_or_young_stays_with_all_that_belongs_to_it(
    ledger: AzureLedger, table: Any
) -> None:
    for held in (
        await opened(ledger, onboarding(at=LONG_AGO)),
        await closed(ledger, at=NOW),
        await closed(ledger, at=LIMIT + timedelta(seconds=1)),
        await closed(ledger, at=LIMIT),
    ):
        await ledger.record_callback(await ledger.callback(held.id, f"callback-{held.id}"))
        await ledger.claim_tenant(str(uuid4()), held)
        await ledger.reserve_key("caller", held.id, KeyReservation("a", held.id))
    await AzureGateStore(table).change(lambda gate: gate.closed(LONG_AGO))
    before = await rows(table)
    assert await purged(ledger) == 0
    assert await rows(table) == before


async def test_what_was_asked_for_long_ago_and_closed_lately_stays(ledger: AzureLedger) -> None:
    held = await opened(ledger, onboarding(at=LONG_AGO))
    failed = await ledger.save(lifecycle.fail(held, ERROR, NOW))
    assert await purged(ledger) == 0
    assert await ledger.read(failed.id) == failed


async def test_the_past_of_an_identity_source_goes_and_its_present_stays(
    ledger: AzureLedger, table: Any
) -> None:
    domain = partner()
    old = await closed(ledger, domain=domain)
    await ledger.record_callback(await ledger.callback(old.id, "callback-old"))
    present = await closed(ledger, Status.SUCCEEDED, NOW, domain=domain)
    await ledger.record_callback(await ledger.callback(present.id, "callback-present"))
    assert await purged(ledger) == 1
    assert await ledger.holder_of(f"domain:{domain}") == present
    _, row = split_id(present.id)
    assert await rows(table) == {"claim", f"onboarding-{row}", "callback-present"}


async def test_a_key_that_is_used_lately_stays_bound(ledger: AzureLedger) -> None:
    bound = KeyReservation("a", onboarding().id)
    await ledger.reserve_key("caller", "key", bound)
    await closed(ledger)
    await purged(ledger)
    other = KeyReservation("b", onboarding().id)
    assert await ledger.reserve_key("caller", "key", other) == bound


@LONG
async def test_more_than_a_transaction_holds_goes_too(ledger: AzureLedger, table: Any) -> None:
    domain = partner()
    for _ in range(60):
        old = await closed(ledger, domain=domain)
        await ledger.record_callback(await ledger.callback(old.id, f"callback-{old.id}"))
    assert await purged(ledger) == 60
    assert await rows(table) == set()


async def test_after_a_purge_the_identity_source_is_free(ledger: AzureLedger) -> None:
    domain = partner()
    await closed(ledger, Status.SUCCEEDED, domain=domain)
    await purged(ledger)
    newcomer = onboarding(domain)
    assert (await opened(ledger, newcomer)).id == newcomer.id


async def test_what_a_newer_version_wrote_stays(ledger: AzureLedger, table: Any) -> None:
    old = await closed(ledger)
    partition, row = split_id(old.id)
    entity = await table.get_entity(partition, f"onboarding-{row}")
    newer = {**entity, "Version": VERSION + 1}
    await table.submit_transaction([("update", newer, if_unchanged(etag_of(entity)))])
    before = await rows(table)
    assert await purged(ledger) == 0
    assert await rows(table) == before


# Somebody is quicker


class Interrupted:
    """A table on which something happens right before one of the transactions."""

    def __init__(self, table: Any, transaction: int, happens: Callable[[], Awaitable[Any]]) -> None:
        self._table = table
        self._left = transaction
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def submit_transaction(self, operations: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            await self._happens()
        return await self._table.submit_transaction(operations)


def interrupted(table: Any, transaction: int, happens: Callable[[], Awaitable[Any]]) -> AzureLedger:
    client: Any = Interrupted(table, transaction, happens)
    return AzureLedger(client)


async def test_a_replay_meanwhile_keeps_its_onboarding_and_its_claim(
    ledger: AzureLedger, table: Any
) -> None:
    failed = await closed(ledger, domain=(domain := partner()))
    meanwhile = lambda: ledger.open(reopened(failed))  # noqa: E731
    assert await purged(interrupted(table, 1, meanwhile)) == 0
    held = await ledger.read(failed.id)
    assert held is not None
    assert held.status is Status.NOT_STARTED
    assert await ledger.holder_of(f"domain:{domain}") == held


async def test_who_takes_the_claim_over_meanwhile_keeps_it(ledger: AzureLedger, table: Any) -> None:
    await closed(ledger, domain=(domain := partner()))
    newcomer = onboarding(domain)
    await purged(interrupted(table, 1, lambda: ledger.open(newcomer)))
    holder = await ledger.holder_of(f"domain:{domain}")
    assert holder is not None
    assert holder.id == newcomer.id


async def test_a_replay_that_comes_too_late_is_told_so(ledger: AzureLedger) -> None:
    """Its message carries it out: it opens the onboarding anew, under the same id."""
    failed = await closed(ledger)
    await purged(ledger)
    with pytest.raises(SupersededError):
        await ledger.open(reopened(failed))
    with pytest.raises(SupersededError):
        await ledger.save(reopened(failed))
    anew = failed.model_copy(update={"etag": None, "status": Status.NOT_STARTED})
    assert (await opened(ledger, anew)).id == failed.id


async def test_a_claim_that_is_purged_while_somebody_takes_it_over_is_made_anew(
    ledger: AzureLedger, table: Any
) -> None:
    await closed(ledger, domain=(domain := partner()))
    newcomer = onboarding(domain)
    # The first transaction finds the claim taken, the second one is to take it over.
    taking_over = interrupted(table, 2, lambda: purged(ledger))
    assert (await opened(taking_over, newcomer)).id == newcomer.id
    assert await ledger.holder_of(f"domain:{domain}") == await ledger.read(newcomer.id)


async def test_replays_and_a_purge_at_once_leave_each_onboarding_whole_or_gone(
    ledger: AzureLedger,
) -> None:
    failed = [await closed(ledger) for _ in range(12)]
    replays = (ledger.open(reopened(one)) for one in failed)
    answers = await asyncio.gather(purged(ledger), *replays, return_exceptions=True)
    for one, answer in zip(failed, answers[1:], strict=True):
        held = await ledger.read(one.id)
        assert one.request is not None
        assert await ledger.holder_of(one.request.natural_key) == held
        if held is None:
            assert isinstance(answer, SupersededError)
        else:
            assert held == answer


async def test_of_two_purges_at_once_both_get_through(ledger: AzureLedger, table: Any) -> None:
    for _ in range(5):
        await closed(ledger)
    both = await asyncio.gather(purged(ledger), purged(ledger))
    assert sum(both) == 5
    assert await rows(table) == set()


async def test_a_purge_that_dies_half_way_leaves_the_rest_to_the_next(
    ledger: AzureLedger, table: Any
) -> None:
    for _ in range(3):
        await closed(ledger)
    async with aclosing(ledger.purge(LIMIT)) as steps:
        assert await anext(steps) == 1
    assert await purged(ledger) == 2
    assert await rows(table) == set()


async def test_a_purge_tells_that_storage_cannot_be_reached() -> None:
    async def broken[T](_: str, __: Callable[[], T]) -> T:
        raise ServiceRequestError("no route to host")

    client: Any = SimulatedTableClient(Table(), broken)
    with pytest.raises(StorageUnavailableError):
        await purged(AzureLedger(client))
