"""How any of the tables is asked: with what the SDK leaves to its callers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableTransactionError
from azure.data.tables.aio import TableClient

from connorg.storage.connection import storage_errors
from connorg.storage.entities import etag_of, if_unchanged

_NOT_FOUND = 404
CONFLICTS = frozenset({404, 409, 412})  # gone since it was read; exists already; changed since
_CHANGED_SINCE = frozenset({404, 412})
LARGEST_TRANSACTION = 100  # rows


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


async def rows_of(
    table: TableClient,
    conditions: str,
    values: Mapping[str, str],
    columns: list[str] | None = None,
) -> AsyncIterator[Any]:
    """Give all rows that match; none where there is no table. Raises StorageUnavailableError."""
    async with storage_errors():
        # Without a table nothing was written so far.
        with suppress(ResourceNotFoundError):
            async for row in table.query_entities(
                conditions, parameters=dict(values), select=columns
            ):
                yield row


async def delete_unchanged(table: TableClient, rows: Sequence[Any]) -> bool:
    """Delete rows of one partition, all or none. False: one of them has changed since.

    Raises StorageUnavailableError.
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
