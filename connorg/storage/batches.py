"""The Batches on an Azure table.

PartitionKey   RowKey        holds
the batch's id batch         the batch: written last, so that it is there when all rows are
the batch's id row-<number>  a row: its request, what became of it, and what is counted
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient

from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import RowRef, countdown
from connorg.contract.onboarding import Conclusion
from connorg.contract.requests import OnboardingRequest
from connorg.core.ports import RowOutline, SupersededError
from connorg.storage.connection import storage_errors
from connorg.storage.entities import Entity, etag_of, if_unchanged, model_of, row_entity
from connorg.storage.tables import (
    CONFLICTS,
    LARGEST_TRANSACTION,
    delete_unchanged,
    read_row,
    rows_of,
    with_table,
)

_BATCH = "batch"
_ROW = "row-"
_MOST_CHARACTERS = 256 * 1024  # of a transaction: 3 MiB at twelve bytes each, of 4 MiB
_AT_ONCE = 4  # transactions, so that others get to storage too
_COUNTED = ["RowKey", "Status", "Conclusion", "DuplicateOf", "Noted"]
_TOLD = ["PartitionKey", "RowKey", "Version", "Row"]


class AzureBatches:
    """See ports.Batches."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def write(self, batch: Batch, rows: Sequence[BatchRow]) -> None:
        chunks = list(_chunks(map(_new_entity, rows)))
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def write(chunk: Sequence[Entity]) -> None:
            async with at_once:
                await self._create([("create", entity) for entity in chunk])

        # One alone first: it makes the table where that is missing.
        for part in (chunks[:1], chunks[1:]):
            await asyncio.gather(*map(write, part))
        await self._create([("create", _batch_entity(batch))])

    async def _create(self, operations: list[tuple[Any, ...]]) -> None:
        async with storage_errors():
            try:
                await with_table(self._table, lambda: self._table.submit_transaction(operations))
            except TableTransactionError as error:
                if error.status_code not in CONFLICTS:
                    raise  # else an earlier call wrote the same

    async def read(self, batch_id: str) -> Batch | None:
        entity = await read_row(self._table, batch_id, _BATCH, ["Version", "Batch"])
        return None if entity is None else model_of(Batch, entity, "Batch")

    async def row(self, place: RowRef) -> BatchRow | None:
        entity = await read_row(self._table, place.batch, _row_key(place.row), _TOLD)
        return None if entity is None else _row_of(entity)

    async def rows(
        self, batch_id: str, first: int = 0, last: int | None = None, *, requests: bool = False
    ) -> tuple[BatchRow, ...]:
        columns = [*_TOLD, "Request"] if requests else _TOLD
        found = self._query(batch_id, columns, first, last)
        return tuple([_row_of(entity) async for entity in found])

    async def outline(self, batch_id: str) -> tuple[RowOutline, ...]:
        return tuple([_outline_of(entity) async for entity in self._query(batch_id, _COUNTED)])

    async def save(self, rows: Sequence[BatchRow]) -> None:
        mode = {"mode": UpdateMode.MERGE}  # so that the request stays
        async with storage_errors():
            try:
                if len(rows) == 1:
                    options = {**mode, **if_unchanged(rows[0].etag or "")}
                    await self._table.update_entity(_entity(rows[0]), **options)
                elif rows:
                    await self._table.submit_transaction(
                        ("update", _entity(row), {**mode, **if_unchanged(row.etag or "")})
                        for row in rows
                    )
            except HttpResponseError as error:
                if error.status_code not in CONFLICTS:
                    raise
                raise SupersededError(rows[0].batch_id) from None

    async def find(self, is_wanted: Callable[[BatchRow], bool]) -> AsyncGenerator[BatchRow]:
        """See ports.Batches. A scan of the table: partners are rarely forgotten."""
        values = {"first": _ROW, "end": f"{_ROW}~"}
        conditions = "RowKey gt @first and RowKey lt @end"
        async for entity in rows_of(self._table, conditions, values, [*_TOLD, "Request"]):
            row = _row_of(entity)
            if is_wanted(row):
                yield row

    async def forget(self, row: BatchRow) -> None:
        options = {"mode": UpdateMode.MERGE, **if_unchanged(row.etag or "")}
        async with storage_errors():
            try:
                await self._table.update_entity({**_entity(row), "Request": ""}, **options)
            except HttpResponseError as error:
                if error.status_code not in CONFLICTS:
                    raise
                raise SupersededError(row.batch_id) from None

    async def purge(self, before: datetime) -> AsyncGenerator[int]:
        """See ports.Batches. A batch's id has its age, and its own row is its first."""
        aged = {"aged": f"batch-{countdown(before)}~", "end": "batch-~"}
        conditions = "PartitionKey gt @aged and PartitionKey lt @end"
        some: list[Any] = []
        async for entity in rows_of(self._table, conditions, aged, ["PartitionKey", "RowKey"]):
            if some and (
                len(some) == LARGEST_TRANSACTION or _batch_of(some) != entity["PartitionKey"]
            ):
                yield await self._purge(some)
                some = []
            some.append(entity)
        if some:
            yield await self._purge(some)

    async def _purge(self, rows: Sequence[Any]) -> int:
        """Delete rows of one batch; 1: with its own row."""
        deleted = await delete_unchanged(self._table, rows)
        return sum(deleted and row["RowKey"] == _BATCH for row in rows)

    async def _query(
        self, batch_id: str, columns: list[str], first: int = 0, last: int | None = None
    ) -> AsyncIterator[Any]:
        end = f"{_ROW}~" if last is None else _row_key(last)
        values = {"batch": batch_id, "first": _row_key(first), "end": end}
        conditions = "PartitionKey eq @batch and RowKey ge @first and RowKey le @end"
        async for entity in rows_of(self._table, conditions, values, columns):
            yield entity


def _chunks(entities: Iterable[Entity]) -> Iterator[list[Entity]]:
    """Cut at the same places whenever the rows are the same."""
    chunk: list[Entity] = []
    characters = 0
    for entity in entities:
        size = sum(len(str(value)) for value in entity.values())
        if chunk and (len(chunk) == LARGEST_TRANSACTION or characters + size > _MOST_CHARACTERS):
            yield chunk
            chunk, characters = [], 0
        chunk.append(entity)
        characters += size
    if chunk:
        yield chunk


def _batch_of(rows: Sequence[Any]) -> str:
    return str(rows[0]["PartitionKey"])


def _row_key(number: int) -> str:
    return f"{_ROW}{number:07d}"


def _batch_entity(batch: Batch) -> Entity:
    text = batch.model_dump_json(exclude_none=True)
    return row_entity(batch.id, _BATCH, Batch=text)


def _new_entity(row: BatchRow) -> Entity:
    request = row.request.model_dump_json(exclude_none=True) if row.request else ""
    return {**_entity(row), "DuplicateOf": row.duplicate_of or 0, "Request": request}


def _entity(row: BatchRow) -> Entity:
    return row_entity(
        row.batch_id,
        _row_key(row.number),
        Status=row.status.value,
        Conclusion=row.conclusion.value if row.conclusion else "",
        Noted=row.noted_date_time.isoformat() if row.noted_date_time else "",
        Row=row.model_dump_json(exclude_none=True),
    )


def _row_of(entity: Any) -> BatchRow:
    row = model_of(BatchRow, entity, "Row")
    request = entity.get("Request")
    known = OnboardingRequest.model_validate_json(request) if request else None
    return row.model_copy(update={"request": known, "etag": etag_of(entity)})


def _outline_of(entity: Any) -> RowOutline:
    conclusion, noted = entity["Conclusion"], entity["Noted"]
    return RowOutline(
        number=int(entity["RowKey"].removeprefix(_ROW)),
        status=RowStatus(entity["Status"]),
        conclusion=Conclusion(conclusion) if conclusion else None,
        duplicate_of=entity["DuplicateOf"] or None,
        noted_date_time=datetime.fromisoformat(noted) if noted else None,
    )
