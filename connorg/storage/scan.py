"""Scans of a table whose partitions are hashes: many rows, few answers one after the other.

An answer of the service holds 1,000 rows at most, and only it says where the next begins. So the
first is asked for alone, and a small table needs no more. Where there is more, the rest of the
hashes is cut into ranges, and all of them are read side by side.
"""

import asyncio
import heapq
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from connorg.storage.connection import storage_errors

type Key = tuple[str, str]
"""The RowKey and the PartitionKey of a row."""

LARGEST_ANSWER = 1000  # rows; the service's limit
_RANGES = 32  # so that 100,000 rows are some four answers in each
_STARTS = tuple(f"{256 * number // _RANGES:02x}" for number in range(_RANGES))
_END = "g"  # comes after each digit
_SHARE_DIGITS = 8


@dataclass(frozen=True)
class FirstAnswer[T]:
    found: Sequence[T]
    """What was taken of all partitions before `rest`."""
    rest: str | None
    """The partition at which the rest begins; None: this is all."""


@dataclass(frozen=True)
class Scan[T]:
    table: TableClient
    conditions: str
    values: Mapping[str, str]
    columns: Sequence[str] | None
    take: Callable[[Any], T]
    """What is kept of a row: the SDK's rows are large, and many are held at once."""
    before: str = ""
    """The part before the hash in the name of a partition."""
    page: int = LARGEST_ANSWER

    async def all(self) -> AsyncIterator[T]:
        """Return what is taken of all rows; nothing where there is no table.

        Raise StorageUnavailableError.
        """
        first = await self.first()
        for one in first.found:
            yield one
        async for one in self.rest(first):
            yield one

    async def first(self) -> FirstAnswer[T]:
        """Return what is taken of the first answer. Raise StorageUnavailableError."""
        start, end = self.before + _STARTS[0], self.before + _END
        pages = self._query(start, end).by_page()
        take = lambda row: (row["PartitionKey"], self.take(row))  # noqa: E731
        found = await _next_answer(pages, take) or []
        if pages.continuation_token is None:
            return FirstAnswer([one for _, one in found], None)
        # An answer may be empty though it is not the last; it may end amid a partition.
        rest = found[-1][0] if found else start
        return FirstAnswer([one for partition, one in found if partition != rest], rest)

    async def rest(self, first: FirstAnswer[T], last: str | None = None) -> AsyncIterator[T]:
        """Return what is taken after the first answer; of rows up to a RowKey only.

        Every range asks for its next answer with the others. Raise StorageUnavailableError.
        """
        if first.rest is None:
            return
        starts = [self.before + start for start in _STARTS if self.before + start > first.rest]
        ends = [*starts, self.before + _END]
        ranges = zip([first.rest, *starts], ends, strict=True)
        pages = [self._query(*each, last).by_page() for each in ranges]
        while pages:
            answers = await asyncio.gather(*(_next_answer(page, self.take) for page in pages))
            for answer in answers:
                for one in answer or ():
                    yield one
            pages = [p for p, answer in zip(pages, answers, strict=True) if answer is not None]

    def share(self, first: FirstAnswer[T]) -> float:
        """Return the share of all partitions that the first answer covers."""
        if first.rest is None:
            return 1.0
        digits = first.rest.removeprefix(self.before)[:_SHARE_DIGITS]
        return int(digits, 16) / 16.0 ** len(digits)

    def _query(self, start: str, end: str, last: str | None = None) -> Any:
        conditions = f"PartitionKey ge @start and PartitionKey lt @end and {self.conditions}"
        values = {**self.values, "start": start, "end": end}
        if last is not None:
            conditions, values = f"{conditions} and RowKey le @last", {**values, "last": last}
        return self.table.query_entities(
            conditions,
            parameters=values,
            select=list(self.columns) if self.columns else None,
            results_per_page=self.page,
        )


async def smallest(scan: Scan[Key], count: int) -> list[Key]:
    """Return the smallest RowKeys of all that match, with their partitions.

    The partitions are hashes, so the first answer is a fair sample: it tells up to which RowKey
    there are probably enough. Only if there are not, all rows are read.

    Raise StorageUnavailableError.
    """
    first = await scan.first()
    keys = sorted(first.found)
    last = _probably_enough(keys, scan.share(first), count)
    found = [key for key in keys if last is None or key[0] <= last]
    found += [key async for key in scan.rest(first, last)]
    if last is not None and len(found) < count:
        found = [*keys, *[key async for key in scan.rest(first)]]
    return heapq.nsmallest(count, found)


def _probably_enough(keys: Sequence[Key], share: float, count: int) -> str | None:
    """Return a RowKey up to which a table holds `count` rows, in all likelihood; None: unknown.

    `keys`: the sorted ones of a share of the table.
    """
    expected = share * count
    rank = math.ceil(expected + 3 * math.sqrt(expected) + 3)  # three standard deviations, and some
    return keys[rank][0] if rank < len(keys) else None


def key_of(row: Any) -> Key:
    return row["RowKey"], row["PartitionKey"]


async def _next_answer[T](pages: Any, take: Callable[[Any], T]) -> list[T] | None:
    """Take what is in a query's next answer; None, without a call: there is none."""
    async with storage_errors():
        # Without a table nothing was written so far.
        with suppress(StopAsyncIteration, ResourceNotFoundError):
            page = await anext(pages)
            return [take(row) async for row in page]
    return None
