"""How any of the tables is asked: with what the SDK leaves to its callers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient

from connorg.core.ports import SupersededError
from connorg.storage.connection import storage_errors
from connorg.storage.entities import Entity, etag_of, if_unchanged

_NOT_FOUND = 404
CONFLICTS = frozenset({404, 409, 412})  # gone since it was read; exists already; changed since
_CHANGED_SINCE = frozenset({404, 412})
LARGEST_TRANSACTION = 100  # rows
_TOO_LARGE_BODY = 413
_TOO_LARGE = frozenset({"EntityTooLarge", "PropertyValueTooLarge", "RequestBodyTooLarge"})


class TooLargeError(Exception):
    """The table service takes no row, or no column, of this size."""


def raise_if_too_large(error: HttpResponseError) -> None:
    if error.status_code == _TOO_LARGE_BODY or getattr(error, "error_code", None) in _TOO_LARGE:
        raise TooLargeError from None


class AzureTable:
    """One table, whatever it holds. See ports.StoragePart."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def is_there(self) -> bool:
        async with storage_errors():
            try:
                await self._table.get_entity("", "")
            except HttpResponseError as error:
                # No table, and no such row in it, are both a 404.
                if error.status_code != _NOT_FOUND:
                    raise
                return getattr(error, "error_code", None) != "TableNotFound"
        return True


async def with_table[Written](
    table: TableClient, write: Callable[[], Awaitable[Written]]
) -> Written:
    """Write; where the table is missing, make it first. On Azure the deployment made it."""
    try:
        return await write()
    except HttpResponseError as error:
        if error.status_code != _NOT_FOUND:
            raise
    with suppress(ResourceExistsError):  # another instance was quicker
        await table.create_table()
    return await write()


async def read_row(
    table: TableClient, partition: str, row: str, columns: list[str] | None = None
) -> Any:
    """Return a row; None: there is none. Raise StorageUnavailableError."""
    async with storage_errors():
        try:
            return await table.get_entity(partition, row, select=columns)
        except ResourceNotFoundError:
            return None


async def write_row(table: TableClient, entity: Entity, etag: str | None) -> str:
    """Write a row in the place of the version that was read; None: where there was none.

    Return the new version. Raise SupersededError when the row is not as it was read, TooLargeError
    and StorageUnavailableError.
    """
    async with storage_errors():
        try:
            if etag is None:
                written = await with_table(table, lambda: table.create_entity(entity))
            else:
                written = await table.update_entity(
                    entity, mode=UpdateMode.REPLACE, **if_unchanged(etag)
                )
        except HttpResponseError as error:
            if error.status_code in CONFLICTS:
                raise SupersededError(entity["RowKey"]) from None
            raise_if_too_large(error)
            raise
    return str(written["etag"])


async def rows_of(
    table: TableClient,
    conditions: str,
    values: Mapping[str, str],
    columns: list[str] | None = None,
) -> AsyncIterator[Any]:
    """Return all rows that match; none where there is no table. Raise StorageUnavailableError."""
    async with storage_errors():
        # Without a table nothing was written so far.
        with suppress(ResourceNotFoundError):
            async for row in table.query_entities(
                conditions, parameters=dict(values), select=columns
            ):
                yield row


async def delete_row(table: TableClient, partition: str, row: str, etag: str) -> None:
    """Delete a row. Raise SupersededError where it is not as it was read, StorageUnavailableError.

    One that is gone is deleted too.
    """
    operation = ("delete", {"PartitionKey": partition, "RowKey": row}, if_unchanged(etag))
    async with storage_errors():
        try:
            await table.submit_transaction([operation])
        except TableTransactionError as error:
            if error.status_code not in _CHANGED_SINCE:
                raise
            if error.status_code != _NOT_FOUND:
                raise SupersededError(row) from None


async def delete_unchanged(table: TableClient, rows: Sequence[Any]) -> bool:
    """Delete rows of one partition, all or none. False: one of them has changed since.

    Raise StorageUnavailableError.
    """
    operations = [("delete", row, if_unchanged(etag_of(row))) for row in rows]
    async with storage_errors():
        try:
            await table.submit_transaction(operations)
        except TableTransactionError as error:
            if error.status_code in _CHANGED_SINCE:
                return False
            raise
    return True
