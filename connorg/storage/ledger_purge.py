"""Purge the ledger's table: delete what belongs to onboardings that closed long ago.

A claim is deleted in one transaction with the onboarding that it names, or not at all. Each row is
deleted as it was read (ETag): if an onboarding was reopened or its claim taken over meanwhile, the
whole transaction fails and all of it stays. A purge that dies half-way leaves a
valid state; the next one finds the rest.

The row of a tenant stays for ever, a hash and an id: if Graph does not recognize a tenant by its
domains, only this row prevents that a second name of it creates a second organization.

Both queries are scans of the table. `RowKey` has the age of an onboarding, so that the service
returns only those that are old enough.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from itertools import batched
from operator import itemgetter
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from connorg.contract.callbacks import CallbackRecord
from connorg.contract.identifiers import countdown, made_at, split_id
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.versions import NewerVersionError, check_version
from connorg.storage.connection import storage_errors
from connorg.storage.entities import (
    CALLBACK,
    CLAIM,
    KEY,
    OF_KEYS,
    ONBOARDING,
    callback_of,
    onboarding_of,
)
from connorg.storage.scan import Scan
from connorg.storage.tables import LARGEST_TRANSACTION, delete_unchanged, rows_of


async def purge(table: TableClient, before: datetime, page: int) -> AsyncGenerator[int]:
    """See ports.Ledger.purge."""
    aged = {"aged": f"{ONBOARDING}{countdown(before)}", "to": f"{ONBOARDING}~"}
    conditions = "RowKey gt @aged and RowKey lt @to"
    done = ""
    take = itemgetter("PartitionKey")
    async for partition in Scan(table, conditions, aged, ["PartitionKey"], take, page=page).all():
        if partition != done:  # rows of a partition mostly come one after the other
            done = partition
            yield await _purge_partition(table, done, before)
    keys = Scan(table, "RowKey eq @key", {"key": KEY}, None, _same, before=OF_KEYS, page=page)
    async for row in keys.all():
        yield await _purge_key(table, row, before)


def _same(row: Any) -> Any:
    return row


def remnant_of(onboarding_id: str) -> Onboarding:
    """Return what a purge leaves of an onboarding, in the row of its tenant: that it ended.

    The id says when it was requested, so the next one knows that Graph has long listed what
    it may have created.
    """
    at = made_at(onboarding_id)
    return Onboarding(
        id=onboarding_id,
        status=Status.SUCCEEDED,
        channel="",
        created_date_time=at,
        last_action_date_time=at,
        give_up_date_time=at,
    )


async def _purge_partition(table: TableClient, partition: str, before: datetime) -> int:
    """Delete what is old enough of an identity source; give how many onboardings that were."""
    own = {"partition": partition}
    rows = [row async for row in rows_of(table, "PartitionKey eq @partition", own)]
    purged = 0
    for some in batched(_expired(rows, before), LARGEST_TRANSACTION, strict=False):
        if not await delete_unchanged(table, some):
            break
        purged += sum(row["RowKey"].startswith(ONBOARDING) for row in some)
    return purged


def _expired(rows: Sequence[Any], before: datetime) -> list[Any]:
    """Return the rows to delete: each claim, right after it the onboarding that it names."""
    try:
        onboardings = {
            onboarding.id: (onboarding, row)
            for row in rows
            if row["RowKey"].startswith(ONBOARDING)
            for onboarding in [onboarding_of(row)]
        }
        kept = {o.id for o, _ in onboardings.values() if not _is_over(o, before)}
        notes = [(callback_of(row), row) for row in rows if row["RowKey"].startswith(CALLBACK)]
    except NewerVersionError:
        return []
    kept |= {note.onboarding_id for note, _ in notes if _is_under_way(note, before)}
    expired = [row for note, row in notes if note.onboarding_id not in kept]
    over = [row for onboarding, row in onboardings.values() if onboarding.id not in kept]
    claims = [row for row in rows if row["RowKey"] == CLAIM]
    for claim in claims:
        held = [row for row in over if row["RowKey"] == f"{ONBOARDING}{claim['Holder']}"]
        over = [*([claim] if held else []), *held, *(row for row in over if row not in held)]
    return [*over, *expired]


def _is_under_way(note: CallbackRecord, before: datetime) -> bool:
    """Whether a callback of a recent request is still to be made."""
    return note.ended is None and note.due is not None and note.due >= before


def _is_over(onboarding: Onboarding, before: datetime) -> bool:
    return onboarding.status.terminal and onboarding.last_action_date_time < before


async def _purge_key(table: TableClient, row: Any, before: datetime) -> int:
    """Delete the row of an Idempotency-Key, if its onboarding is old and gone."""
    partition, own = split_id(row["OnboardingId"])
    if own < countdown(before):
        return 0
    async with storage_errors():
        try:
            check_version(row.get("Version"))
            await table.get_entity(partition, f"{ONBOARDING}{own}")
        except ResourceNotFoundError:
            await delete_unchanged(table, [row])
        except NewerVersionError:
            pass
    return 0
