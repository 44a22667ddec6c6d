"""Queue triggers: gets messages, hands them to their function, and does what its outcome asks.

The rules are those of the queue extension of Azure Functions (QueueListener, QueueProcessor).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from infra.local.functions_host.host_json import QueueOptions
from infra.local.functions_host.polling import PollingBackoff
from infra.local.functions_host.queue_lease import Lease
from infra.local.functions_host.queue_message import Received, UndecodableError, call, decode
from infra.local.functions_host.storage_calls import Repeater, is_server_fault, line, message_gone
from infra.local.functions_host.worker import Call, Result

type Invoke = Callable[[Call], Awaitable[Result]]

log = logging.getLogger("host")

# A message is hidden for that long while it is handled, and hidden again at half time.
LEASE_SECONDS = 600
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class QueuePump:
    """Feeds one function from one queue. The clients neither encode nor decode, nor do they retry.

    `poison` is None for a queue that has none. `wake_pump` tells the pump of a queue, if this host
    has one, that there is something to fetch. `fail` is told what ends the whole host.
    """

    queue: QueueClient
    poison: QueueClient | None
    options: QueueOptions
    invoke: Invoke
    lease_seconds: int
    wake_pump: Callable[[str], None]
    fail: Callable[[str], None]
    repeat: Repeater = field(default_factory=Repeater)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _handling: set[asyncio.Task[None]] = field(default_factory=set)
    _polling: asyncio.Task[None] | None = None
    _is_known_to_exist: bool = False

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """What runs for it: the polling, and each message in progress."""
        return self._handling | ({self._polling} if self._polling else set())

    def wake(self) -> None:
        """Poll now instead of after the wait that is under way."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until told to stop, or until storage refuses: then `fail` is told why.

        Faults of the server never end it. The trigger's queue is not made here: while there is
        none, there is no message.
        """
        self._polling = asyncio.create_task(self._poll())
        try:
            await asyncio.wait([self._polling])
        finally:
            self._polling.cancel()
        if not self._polling.cancelled():
            self._polling.result()

    async def stop(self) -> None:
        """No further get, and wait for what runs, however long.

        A get that is under way is cut off: its messages are hidden until their time is over.
        """
        if self._polling:
            self._polling.cancel()
        await asyncio.gather(*self._handling)

    async def _poll(self) -> None:
        backoff = PollingBackoff(self.options.max_polling_interval)
        found_message = False
        while True:
            self._wake.clear()
            try:
                batch = await self._receive()
            except AzureError as fault:
                self.fail(f"Queue {self._name}: {line(fault)}")
                return
            for message in batch:
                self._handling.add(asyncio.create_task(self._handle(message)))
            if batch:
                found_message = True
                await self._wait_for_room()
            else:
                wait = backoff.next_wait(found_message=found_message)
                found_message = False
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait)

    async def _receive(self) -> list[Received]:
        """The next messages to handle. Raise AzureError for what ends the host."""
        try:
            if not self._is_known_to_exist:
                await self.repeat(self.queue.get_queue_properties)
                self._is_known_to_exist = True
            fetched = await self.repeat(self._first_page)
        except AzureError as fault:
            self._is_known_to_exist = False
            if isinstance(fault, ResourceNotFoundError):
                return []
            if not is_server_fault(fault):
                raise
            log.warning("Queue %s cannot be read, trying on: %s", self._name, line(fault))
            return []
        return [message for message in fetched if not await self._is_set_aside(message)]

    async def _first_page(self) -> list[Received]:
        """At most batchSize messages; a second page would be a second batch."""
        pages = self.queue.receive_messages(
            messages_per_page=self.options.batch_size, visibility_timeout=self.lease_seconds
        ).by_page()
        async for page in pages:
            return [_received(message) async for message in page]
        return []

    async def _is_set_aside(self, message: Received) -> bool:
        """Whether the message is not Base64. It is moved before any other of its get begins."""
        try:
            decode(message.text, is_base64=self.options.is_base64)
        except UndecodableError:
            log.warning("Message %s of %s is not Base64", message.id, self._name)
            if self.poison:
                await self._move_to_poison(message, self.poison, message.pop_receipt)
            return True
        return False

    async def _wait_for_room(self) -> None:
        """Until no more than newBatchThreshold messages are being handled."""
        while len(self._handling) > self.options.new_batch_threshold:
            _, self._handling = await asyncio.wait(
                self._handling, return_when=asyncio.FIRST_COMPLETED
            )

    async def _handle(self, message: Received) -> None:
        try:
            await self._try(message)
        except AzureError as fault:
            # It stays hidden until its lease runs out, then it is tried again.
            self.fail(f"Message {message.id} of {self._name}: {line(fault)}")

    async def _try(self, message: Received) -> None:
        if self.poison and message.dequeue_count > self.options.max_dequeue_count:
            await self._move_to_poison(message, self.poison, message.pop_receipt)
            return
        lease = Lease(
            self.queue, message.id, message.pop_receipt, self.lease_seconds, self.repeat, self.fail
        )
        async with lease:
            succeeded = await self._run_function(message)
        if succeeded:
            await self._delete(message, lease.pop_receipt)
        elif self.poison is None:
            # Without a poison queue the message stays hidden for its lease, and is called again
            # for as long as it lives, whatever maxDequeueCount says.
            return
        elif message.dequeue_count >= self.options.max_dequeue_count:
            await self._move_to_poison(message, self.poison, lease.pop_receipt)
        else:
            await self._release(message, lease.pop_receipt)

    async def _run_function(self, message: Received) -> bool:
        try:
            text = decode(message.text, is_base64=self.options.is_base64).decode()
        except UnicodeDecodeError as fault:
            log.error("Message %s of %s is not UTF-8: %s", message.id, self._name, fault)  # noqa: TRY400 - a fault of the message, not of this code
            return False
        return (await self.invoke(call(message, text))).ok

    async def _move_to_poison(
        self, message: Received, poison: QueueClient, pop_receipt: str
    ) -> None:
        """Two calls: when the second fails, or this process ends between them, there are two.

        The text is copied as it stands. So one that is not Base64 is not Base64 in the poison queue
        either: a function there never sees it, and it lies there until it expires.
        """
        log.warning("Message %s moves to %s", message.id, poison.queue_name)

        async def put() -> None:
            await poison.send_message(message.text)

        try:
            await self.repeat(put)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):  # another instance was faster
                await self.repeat(poison.create_queue)
            await self.repeat(put)
        self.wake_pump(str(poison.queue_name))
        await self._delete(message, pop_receipt)

    async def _delete(self, message: Received, pop_receipt: str) -> None:
        with message_gone():
            await self.repeat(lambda: self.queue.delete_message(message.id, pop_receipt))

    async def _release(self, message: Received, pop_receipt: str) -> None:
        seconds = int(self.options.visibility_timeout)
        with message_gone():
            await self.repeat(
                lambda: self.queue.update_message(
                    message.id, pop_receipt, visibility_timeout=seconds
                )
            )

    @property
    def _name(self) -> str:
        return str(self.queue.queue_name)


def _received(message: QueueMessage) -> Received:
    return Received(
        id=message.id,
        text=message.content or "",
        pop_receipt=message.pop_receipt or "",
        dequeue_count=message.dequeue_count or 0,
        inserted_on=message.inserted_on or NEVER,
        expires_on=message.expires_on or NEVER,
        next_visible_on=message.next_visible_on or NEVER,
    )
