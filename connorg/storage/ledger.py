"""The Ledger on one Azure table; `entities` draws its rows."""

import asyncio
import heapq
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import batched
from typing import Any

from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient

from connorg.contract.callbacks import CallbackRecord
from connorg.contract.identifiers import countdown, partition_of, split_id
from connorg.contract.onboarding import Onboarding
from connorg.contract.versions import NewerVersionError, check_version
from connorg.core.domain.claims import can_be_replaced_by, taking_over_from
from connorg.core.ports import (
    ClaimHeld,
    HeldKey,
    Holding,
    KeyReservation,
    OnboardingFilter,
    OnboardingOutline,
    OnboardingPage,
    SupersededError,
)
from connorg.storage.connection import storage_errors
from connorg.storage.entities import (
    CALLBACK,
    CLAIM,
    COUNTED,
    JOINED,
    KEY,
    OF_KEYS,
    ONBOARDING,
    SEARCHED,
    TENANT,
    Entity,
    callback_entity,
    callback_of,
    claim_entity,
    etag_of,
    ever_smaller,
    if_unchanged,
    key_entity,
    onboarding_entity,
    onboarding_of,
    outline_of,
    reservation_of,
    tenant_entity,
)
from connorg.storage.ledger_purge import purge, remnant_of
from connorg.storage.scan import LARGEST_ANSWER, Key, Scan, key_of, smallest
from connorg.storage.tables import (
    CONFLICTS,
    TooLargeError,
    delete_row,
    raise_if_too_large,
    read_row,
    rows_of,
    with_table,
    write_row,
)

_log = logging.getLogger(__name__)

_KEY = ["PartitionKey", "RowKey"]
_AT_ONCE = 32  # reads


class AzureLedger:
    """See ports.Ledger."""

    def __init__(self, table: TableClient, page: int = LARGEST_ANSWER) -> None:
        """`page`: how many rows an answer of the service holds."""
        self._table = table
        self._page = page

    async def open(self, onboarding: Onboarding) -> Onboarding | ClaimHeld:
        partition, _ = split_id(onboarding.id)
        claim = None  # no caller's, as far as is known
        while True:
            written = await self._write_with_claim(onboarding, claim)
            if written is not None:
                return written
            claim, own = await asyncio.gather(
                self._entity(partition, CLAIM), self.read(onboarding.id)
            )
            if onboarding.etag is not None and (own is None or own.etag != onboarding.etag):
                raise SupersededError(onboarding.id)
            if own is not None and onboarding.etag is None:
                return ClaimHeld(own)
            if claim is not None:
                holder = await self.read(f"{partition}-{claim['Holder']}")
                if holder is not None and holder.id != onboarding.id:
                    if not can_be_replaced_by(holder, onboarding):
                        return ClaimHeld(holder)
                    onboarding = taking_over_from(onboarding, holder)

    async def _write_with_claim(self, onboarding: Onboarding, claim: Any) -> Onboarding | None:
        """Write both rows in one transaction; None: one of them is not as it was thought to be."""
        own = _create_or_update(claim_entity(onboarding), etag_of(claim) if claim else None)

        async def write(entity: Entity) -> str | None:
            operations = [own, _create_or_update(entity, onboarding.etag)]
            async with storage_errors():
                try:
                    results = await with_table(
                        self._table, lambda: self._table.submit_transaction(operations)
                    )
                except TableTransactionError as error:
                    raise_if_too_large(error)
                    if error.status_code not in CONFLICTS:
                        raise
                    return None
            return str(results[1]["etag"])

        etag = await _fitting(onboarding, write)
        return None if etag is None else onboarding.model_copy(update={"etag": etag})

    async def record(self, onboarding: Onboarding) -> Onboarding:
        try:
            return await self._write(onboarding, None)
        except SupersededError:  # it is there
            return await self.read(onboarding.id) or onboarding

    async def read(self, onboarding_id: str) -> Onboarding | None:
        partition, row = split_id(onboarding_id)
        entity = await self._entity(partition, f"{ONBOARDING}{row}")
        return None if entity is None else onboarding_of(entity)

    async def save(self, onboarding: Onboarding) -> Onboarding:
        return await self._write(onboarding, onboarding.etag or "")

    async def _write(self, onboarding: Onboarding, known: str | None) -> Onboarding:
        etag = await _fitting(onboarding, lambda entity: write_row(self._table, entity, known))
        return onboarding.model_copy(update={"etag": etag})

    async def callback(self, onboarding_id: str, name: str) -> CallbackRecord:
        partition, _ = split_id(onboarding_id)
        entity = await self._entity(partition, name)
        if entity is None:
            return CallbackRecord(onboarding_id=onboarding_id, name=name)
        return callback_of(entity)

    async def record_callback(self, note: CallbackRecord) -> CallbackRecord:
        etag = await write_row(self._table, callback_entity(note), note.etag)
        return note.model_copy(update={"etag": etag})

    async def holder_of(self, natural_key: str) -> Onboarding | None:
        partition = partition_of(natural_key)
        claim = await self._entity(partition, CLAIM)
        holder = claim and await self.read(f"{partition}-{claim['Holder']}")
        return None if holder is None or holder.is_forgotten else holder

    async def claim_tenant(
        self, tenant_id: str, onboarding: Onboarding, after: Onboarding | None = None
    ) -> Onboarding | None:
        entity = tenant_entity(tenant_id, onboarding.id)
        while True:
            held = await self._entity(entity["PartitionKey"], entity["RowKey"])
            if held is not None and held["OnboardingId"] == onboarding.id:
                return None
            holder = None
            if held is not None:
                noted = held["OnboardingId"]
                holder = await self.read(noted) or remnant_of(noted)
            if holder is not None and (after is None or holder.id != after.id):
                return holder
            with suppress(SupersededError):
                await write_row(self._table, entity, held and etag_of(held))
                return None

    async def of_organization(self, organization_id: str) -> tuple[Onboarding, ...]:
        """See ports.Ledger. A scan: organizations are rarely deleted."""
        scan = self._scan(OnboardingFilter(), _KEY, key_of, organization=organization_id)
        ids = [_id_of(*key) async for key in scan.all()]
        found = await asyncio.gather(*map(self.read, ids))
        return tuple(onboarding for onboarding in found if onboarding is not None)

    async def organizations(self) -> frozenset[str]:
        columns = ["PartitionKey", "Organization"]
        scan = self._scan(OnboardingFilter(), columns, lambda row: row.get("Organization"))
        return frozenset([known async for known in scan.all() if known])

    async def list(
        self, which: OnboardingFilter, limit: int, continuation: str | None
    ) -> OnboardingPage:
        """See ports.Ledger.

        Rows count down in time, so the newest are the smallest; but each identity source has a
        partition of its own, so a page is the smallest of a scan over the keys of all that match.
        """
        keys = await self._newest(which, limit + 1, continuation)
        ids = [_id_of(*key) for key in keys[:limit]]
        found = await asyncio.gather(*map(self._read_unless_newer, ids))
        more = split_id(ids[-1])[1] if len(keys) > limit else None
        return OnboardingPage(
            tuple(onboarding for onboarding in found if onboarding is not None), more
        )

    async def _newest(
        self, which: OnboardingFilter, count: int, continuation: str | None
    ) -> Sequence[Key]:
        if which.code is None and which.text is None:
            return await smallest(self._scan(which, _KEY, key_of, continuation), count)
        found = [split_id(one.id) async for one in self.outline(which, continuation)]
        return heapq.nsmallest(count, ((row, partition) for partition, row in found))

    async def outline(
        self, which: OnboardingFilter, continuation: str | None = None
    ) -> AsyncGenerator[OnboardingOutline]:
        """See ports.Ledger. What was written before there was a column is read in whole."""
        old: list[str] = []
        is_searched = which.text is not None
        columns = [*_KEY, *COUNTED, *([SEARCHED] if is_searched else [])]
        take = partial(_outline_or_key, is_searched=is_searched)
        async for found in self._scan(which, columns, take, continuation).all():
            match found:
                case OnboardingOutline() if which.lets_through(found):
                    yield found
                case tuple():
                    old.append(_id_of(*found))
        for some in batched(old, _AT_ONCE, strict=False):
            for held in await asyncio.gather(*map(self._read_unless_newer, some)):
                if held is not None and which.lets_through(told := OnboardingOutline.of(held)):
                    yield told

    async def _read_unless_newer(self, onboarding_id: str) -> Onboarding | None:
        """Read for a list: after a rollback what it can't show must not hide the rest."""
        with suppress(NewerVersionError):
            return await self.read(onboarding_id)
        return None

    def _scan[T](
        self,
        which: OnboardingFilter,
        columns: Sequence[str],
        take: Callable[[Any], T],
        after: str | None = None,
        *,
        organization: str | None = None,
    ) -> Scan[T]:
        """Scan the rows of onboardings that match, but for code and text.

        `organization`: the one that they have come to; None: any.
        """
        conditions = ["RowKey gt @after", "RowKey lt @before", "Status ne @joined"]
        # Rows count down in time: the latest moment is the smallest.
        latest = countdown(which.until) if which.until else ""
        values = {
            "after": f"{ONBOARDING}{max(after or '', latest)}",
            "before": f"{ONBOARDING}{countdown(which.since) if which.since else ''}~",
            "joined": JOINED,
        }
        wanted = {
            "Status": which.status,
            "Source": which.channel,
            "Reference": which.reference,
            "Batch": which.batch,
            "Organization": organization,
        }
        for column, value in wanted.items():
            if value is not None:
                conditions.append(f"{column} eq @{column}")
                values[column] = str(value)
        return Scan(self._table, " and ".join(conditions), values, columns, take, page=self._page)

    async def reserve_key(
        self, caller: str, key: str, reservation: KeyReservation
    ) -> KeyReservation:
        entity = key_entity(caller, key, reservation)
        while True:
            with suppress(SupersededError):
                await write_row(self._table, entity, None)
                return reservation
            held = await self._entity(entity["PartitionKey"], entity["RowKey"])
            if held is not None:
                return reservation_of(held)

    async def _entity(self, partition: str, row: str) -> Any:
        entity = await read_row(self._table, partition, row)
        if entity is not None:
            check_version(entity.get("Version"))
        return entity

    async def holding(self, partition: str) -> Holding:
        own = {"partition": partition}
        rows = [row async for row in rows_of(self._table, "PartitionKey eq @partition", own)]
        for row in rows:
            check_version(row.get("Version"))
        held = [onboarding_of(row) for row in rows if row["RowKey"].startswith(ONBOARDING)]
        notes = [row["OnboardingId"] for row in rows if row["RowKey"] == TENANT]
        return Holding(
            tuple(onboarding for onboarding in held if not onboarding.is_forgotten),
            tuple(callback_of(row) for row in rows if row["RowKey"].startswith(CALLBACK)),
            notes[0] if notes else None,
        )

    async def keys(self, partitions: Collection[str]) -> tuple[HeldKey, ...]:
        """See ports.Ledger. A scan of all keys: partners are rarely forgotten."""
        wanted = {"key": KEY}
        take = lambda row: HeldKey(row["PartitionKey"], row["OnboardingId"], etag_of(row))  # noqa: E731
        scan = Scan(
            self._table, "RowKey eq @key", wanted, None, take, before=OF_KEYS, page=self._page
        )
        found = [key async for key in scan.all()]
        return tuple(key for key in found if split_id(key.onboarding_id)[0] in partitions)

    async def erase(self, held: CallbackRecord | HeldKey) -> None:
        match held:
            case CallbackRecord(onboarding_id=onboarding_id, name=name, etag=etag):
                await delete_row(self._table, split_id(onboarding_id)[0], name, etag or "")
            case HeldKey(id=partition, etag=etag):
                await delete_row(self._table, partition, KEY, etag or "")

    def purge(self, before: datetime) -> AsyncGenerator[int]:
        return purge(self._table, before, self._page)


def _id_of(row: str, partition: str) -> str:
    return f"{partition}-{row.removeprefix(ONBOARDING)}"


def _outline_or_key(row: Any, *, is_searched: bool) -> OnboardingOutline | Key | None:
    """Take what is counted of a row, or the key of one that must be read for it."""
    with suppress(NewerVersionError):
        return outline_of(row, is_searched=is_searched) or key_of(row)
    return None


async def _fitting[Written](
    onboarding: Onboarding, write: Callable[[Entity], Awaitable[Written]]
) -> Written:
    """Write an onboarding, smaller where storage refuses it as too large. Raise TooLargeError."""
    *larger, smallest_of_all = ever_smaller(onboarding)
    for one in larger:
        with suppress(TooLargeError):
            return await write(onboarding_entity(one))
        _log.warning("onboarding %s is too large for its row and is cut", onboarding.id)
    return await write(onboarding_entity(smallest_of_all))


def _create_or_update(entity: Entity, etag: str | None) -> tuple[Any, ...]:
    if etag is None:
        return ("create", entity)
    return ("update", entity, {"mode": UpdateMode.REPLACE, **if_unchanged(etag)})
