"""Azure Table and Queue storage in memory: the services, and clients that the adapters take for
the SDK's own.

The real adapters run on them, so what can drift from Azure is no more than these few operations;
`tests/contract` holds them against Azurite.
"""

import asyncio
import itertools
import operator
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode

from connorg.core.ports import Batches, Ledger
from connorg.core.throttle.gate import GateStore
from connorg.storage.batches import AzureBatches
from connorg.storage.gate import AzureGateStore
from connorg.storage.ledger import AzureLedger
from connorg.storage.queues import AzureRetryQueue
from connorg.storage.scan import LARGEST_ANSWER

LARGEST_COLUMN, LARGEST_ROW = 64 * 1024, 1024 * 1024  # bytes

type Key = tuple[str, str]
type Entity = Mapping[str, Any]
type Operation = tuple[Any, ...]


class Travel(Protocol):
    """How a call gets to its service and back. `act` is what the service does, at one moment."""

    async def __call__[T](self, what: str, act: Callable[[], T], /) -> T: ...


class Row(dict[str, Any]):
    """An entity as it is stored and read."""

    def __init__(self, values: Entity, etag: str) -> None:
        super().__init__(values)
        self.metadata = {"etag": etag}

    @property
    def etag(self) -> str:
        return self.metadata["etag"]

    def only(self, columns: Sequence[str] | None) -> "Row":
        if columns is None:
            return self
        return Row({name: self[name] for name in columns if name in self}, self.etag)


class Table:
    """The table service: optimistic concurrency, entity-group transactions, reads never stale."""

    def __init__(
        self,
        written: Callable[[Row | None, Row], None] = lambda _old, _new: None,
        deleted: Callable[[Row], None] = lambda _row: None,
    ) -> None:
        self.exists = False
        self.rows: dict[Key, Row] = {}
        self._written = written
        self._deleted = deleted
        self._etags = itertools.count(1)

    def create_table(self) -> None:
        if self.exists:
            raise _error(ResourceExistsError, 409)
        self.exists = True

    def get(self, key: Key) -> Row:
        row = self.rows.get(key)
        if row is None:
            raise _error(ResourceNotFoundError, 404)
        return row

    def create(self, entity: Entity) -> Row:
        self._check_create(entity)
        _check_size(entity)
        return self._write(entity)

    def update(self, entity: Entity, etag: str, mode: UpdateMode = UpdateMode.REPLACE) -> Row:
        self._check_update(entity, etag)
        _check_size(entity)
        return self._write(self._changed(entity, mode))

    def _changed(
        self, entity: Entity, mode: UpdateMode = UpdateMode.MERGE, **_conditions: Any
    ) -> Entity:
        return entity if mode is UpdateMode.REPLACE else {**self.rows[_key(entity)], **entity}

    def transact(self, operations: Sequence[Operation]) -> list[Row]:
        """All or none: nothing is written before everything is checked."""
        try:
            for kind, entity, *options in operations:
                if kind == "create":
                    self._check_create(entity)
                else:
                    self._check_update(entity, options[0]["etag"])
                _check_size(entity)
        except HttpResponseError as error:
            code = getattr(error, "error_code", None)
            raise _error(TableTransactionError, error.status_code or 0, code) from None
        return [
            self._delete(entity)
            if kind == "delete"
            else self._write(self._changed(entity, **options[0]) if options else entity)
            for kind, entity, *options in operations
        ]

    def query(
        self, conditions: str, parameters: Entity, start: Key, most: int
    ) -> tuple[list[Row], Key | None]:
        """Return the rows from `start` on, and with which the next answer begins."""
        if not self.exists:
            raise _error(ResourceNotFoundError, 404)
        clauses = [_clause(text, parameters) for text in conditions.split(" and ")]
        rows = (self.rows[key] for key in sorted(self.rows) if key >= start)
        found = (row for row in rows if all(clause(row) for clause in clauses))
        shown = list(itertools.islice(found, most))
        following = next(found, None)
        return shown, None if following is None else _key(following)

    def _check_create(self, entity: Entity) -> None:
        if not self.exists:
            raise _error(HttpResponseError, 404)
        if _key(entity) in self.rows:
            raise _error(ResourceExistsError, 409)

    def _check_update(self, entity: Entity, etag: str) -> None:
        if self.get(_key(entity)).etag != etag:
            raise _error(HttpResponseError, 412)

    def _delete(self, entity: Entity) -> Row:
        self._deleted(self.rows.pop(_key(entity)))
        return _GONE

    def _write(self, entity: Entity) -> Row:
        row = Row(entity, f"v{next(self._etags)}")
        self._written(self.rows.get(_key(entity)), row)
        self.rows[_key(entity)] = row
        return row


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
    "ne": operator.ne,
}
_GONE = Row({}, "")  # the answer to a delete has no new version


def _clause(text: str, parameters: Entity) -> Callable[[Row], bool]:
    column, comparison, parameter = text.split()
    compare, value = _COMPARISONS[comparison], parameters[parameter.removeprefix("@")]
    return lambda row: column in row and compare(row[column], value)


def _key(entity: Entity) -> Key:
    return entity["PartitionKey"], entity["RowKey"]


def _check_size(entity: Entity) -> None:
    """Refuse what Azure refuses. Source: "Understanding the Table service data model"."""
    sizes = [len(value.encode("utf-16-le")) for value in entity.values() if isinstance(value, str)]
    if any(size > LARGEST_COLUMN for size in sizes):
        raise _error(HttpResponseError, 400, "PropertyValueTooLarge")
    if sum(sizes) > LARGEST_ROW:
        raise _error(HttpResponseError, 400, "EntityTooLarge")


def _error[E: HttpResponseError](kind: type[E], status: int, code: str | None = None) -> E:
    error = kind(message=f"simulated answer {status}")
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]  # as the SDK sets it
    return error


class SimulatedTableClient:
    """What AzureLedger and AzureBatches use of azure.data.tables.aio.TableClient."""

    def __init__(self, table: Table, travel: Travel) -> None:
        self._table = table
        self._travel = travel

    async def create_table(self) -> None:
        await self._travel("create table", self._table.create_table)

    async def get_entity(
        self, partition: str, row: str, *, select: Sequence[str] | None = None
    ) -> Row:
        found = await self._travel(f"get {row[:10]}", lambda: self._table.get((partition, row)))
        return found.only(select)

    async def create_entity(self, entity: Entity) -> Mapping[str, str]:
        what = f"create {entity['RowKey'][:10]}"
        return (await self._travel(what, lambda: self._table.create(entity))).metadata

    async def update_entity(
        self, entity: Entity, *, etag: str, mode: UpdateMode, **_: Any
    ) -> Mapping[str, str]:
        what = f"update {entity['RowKey'][:10]}"
        return (await self._travel(what, lambda: self._table.update(entity, etag, mode))).metadata

    async def submit_transaction(
        self, operations: Iterable[Operation]
    ) -> Sequence[Mapping[str, str]]:
        asked = list(operations)
        rows = await self._travel("transaction", lambda: self._table.transact(asked))
        return [row.metadata for row in rows]

    def query_entities(
        self,
        conditions: str,
        *,
        parameters: Entity,
        select: Sequence[str] | None = None,
        results_per_page: int = LARGEST_ANSWER,
    ) -> "Found":
        async def ask(start: Key) -> tuple[list[Row], Key | None]:
            act = lambda: self._table.query(conditions, parameters, start, results_per_page)  # noqa: E731
            rows, following = await self._travel("query", act)
            return [row.only(select) for row in rows], following

        return Found(ask)


class Found:
    """What a query found, row by row or answer by answer: the SDK's AsyncItemPaged."""

    def __init__(self, ask: Callable[[Key], Awaitable[tuple[list[Row], Key | None]]]) -> None:
        self._ask = ask

    def by_page(self) -> "Answers":
        return Answers(self._ask)

    async def __aiter__(self) -> AsyncIterator[Row]:
        async for page in self.by_page():
            async for row in page:
                yield row


class Answers:
    """The SDK's AsyncPageIterator."""

    def __init__(self, ask: Callable[[Key], Awaitable[tuple[list[Row], Key | None]]]) -> None:
        self._ask = ask
        self._start: Key | None = ("", "")

    @property
    def continuation_token(self) -> Key | None:
        return self._start

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncIterator[Row]:
        if self._start is None:
            raise StopAsyncIteration
        rows, self._start = await self._ask(self._start)

        async def page() -> AsyncIterator[Row]:
            for row in rows:
                yield row

        return page()


@dataclass
class Message:
    id: str
    text: str
    pop_receipt: str
    inserted_at: float
    visible_at: float
    dequeue_count: int = 0


class Queue:
    """The queue service: visibility, and pop receipts that go stale with each move or delivery."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.exists = False
        self.messages: dict[str, Message] = {}
        self.changed: Callable[[Message], None] = lambda _: None
        """Told of each message that has a new moment at which it becomes visible."""
        self._now = now
        self._numbers = itertools.count(1)

    def create_queue(self) -> None:
        if self.exists:
            raise _error(ResourceExistsError, 409)
        self.exists = True

    def send(self, text: str, delay: int) -> Message:
        if not self.exists:
            raise _error(ResourceNotFoundError, 404)
        now = self._now()
        message = Message(f"m{next(self._numbers)}", text, self._receipt(), now, now + delay)
        self.messages[message.id] = message
        self.changed(message)
        return Message(**vars(message))

    def update(self, message_id: str, pop_receipt: str, text: str | None, delay: float) -> str:
        message = self._held(message_id, pop_receipt)
        message.text = message.text if text is None else text
        message.visible_at = self._now() + delay
        message.pop_receipt = self._receipt()
        self.changed(message)
        return message.pop_receipt

    def delete(self, message_id: str, pop_receipt: str) -> None:
        del self.messages[self._held(message_id, pop_receipt).id]

    def take(self, hidden: float, times: int = 1) -> Message | None:
        """Deliver the visible message that has waited longest, and hide it.

        Count so many deliveries: the answers of the others were lost.
        """
        now = self._now()
        visible = [m for m in self.messages.values() if m.visible_at <= now]
        if not visible:
            return None
        message = min(visible, key=lambda m: m.visible_at)
        message.dequeue_count += times
        message.visible_at = self._now() + hidden
        message.pop_receipt = self._receipt()
        self.changed(message)
        return Message(**vars(message))

    def _held(self, message_id: str, pop_receipt: str) -> Message:
        message = self.messages.get(message_id)
        if message is None:
            raise _error(ResourceNotFoundError, 404)
        if message.pop_receipt != pop_receipt:
            raise _error(HttpResponseError, 400)
        return message

    def _receipt(self) -> str:
        return f"r{next(self._numbers)}"


class SimulatedQueueClient:
    """What AzureRetryQueue uses of azure.storage.queue.aio.QueueClient."""

    def __init__(self, queue: Queue, travel: Travel) -> None:
        self._queue = queue
        self._travel = travel

    async def create_queue(self) -> None:
        await self._travel("create queue", self._queue.create_queue)

    async def send_message(self, text: str, *, visibility_timeout: int, **_: Any) -> Message:
        what = f"put in {visibility_timeout} s: {text}"
        return await self._travel(what, lambda: self._queue.send(text, visibility_timeout))

    async def update_message(
        self, message_id: str, pop_receipt: str, *, content: str, visibility_timeout: int
    ) -> None:
        await self._travel(
            f"move {message_id} to {visibility_timeout} s",
            lambda: self._queue.update(message_id, pop_receipt, content, visibility_timeout),
        )

    async def delete_message(self, message_id: str, pop_receipt: str) -> None:
        act = lambda: self._queue.delete(message_id, pop_receipt)  # noqa: E731
        await self._travel(f"delete {message_id}", act)


async def by_turns[T](_: str, act: Callable[[], T]) -> T:
    """Let others act before and after, as any network does."""
    await asyncio.sleep(0)
    done = act()
    await asyncio.sleep(0)
    return done


def ledger_on(table: Table, travel: Travel) -> Ledger:
    client: Any = SimulatedTableClient(table, travel)
    return AzureLedger(client)


def gate_store_on(table: Table, travel: Travel) -> GateStore:
    client: Any = SimulatedTableClient(table, travel)
    return AzureGateStore(client)


def batches_on(table: Table, travel: Travel) -> Batches:
    client: Any = SimulatedTableClient(table, travel)
    return AzureBatches(client)


def retry_queue_on(queue: Queue, travel: Travel) -> AzureRetryQueue:
    client: Any = SimulatedQueueClient(queue, travel)
    return AzureRetryQueue(client)
