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
from infra.local.functions_host.queue_lease import Lease, message_gone
from infra.local.functions_host.queue_message import Received, UndecodableError, call, decode
from infra.local.functions_host.worker import Call, Result

type Invoke = Callable[[Call], Awaitable[Result]]

log = logging.getLogger("host")

# A message is hidden for that long while it is handled, and hidden anew at half time.
LEASE_SECONDS = 600
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class QueuePump:
    """Feeds one function from one queue. The clients neither encode nor decode.

    `poison` is None for a queue that is itself one for poison messages. `wake_pump` tells the pump
    of a queue, if this host has one, that there is something to fetch.
    """

    queue: QueueClient
    poison: QueueClient | None
    options: QueueOptions
    invoke: Invoke
    lease_seconds: int
    wake_pump: Callable[[str], None]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _handling: set[asyncio.Task[None]] = field(default_factory=set)
    _is_storage_down: bool = False

    def wake(self) -> None:
        """Poll now instead of after the wait that is under way."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until cancelled, through every outage of the storage.

        The trigger's queue is not made here: while there is none, there is no message.
        """
        backoff = PollingBackoff(self.options.max_polling_interval)
        found_message = False
        while True:
            self._wake.clear()
            batch = await self._receive()
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
        try:
            batch = await self._first_page()
        except ResourceNotFoundError:
            return []
        except AzureError as fault:
            if not self._is_storage_down:
                log.warning("Queue %s cannot be read, trying on: %s", self._name, _line(fault))
            self._is_storage_down = True
            return []
        if self._is_storage_down:
            log.warning("Queue %s can be read again", self._name)
        self._is_storage_down = False
        return batch

    async def _first_page(self) -> list[Received]:
        """At most batchSize messages; a second page would be a second batch."""
        pages = self.queue.receive_messages(
            messages_per_page=self.options.batch_size, visibility_timeout=self.lease_seconds
        ).by_page()
        async for page in pages:
            return [_received(message) async for message in page]
        return []

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
            fate = "it comes back when its lease runs out"
            log.warning("Message %s of %s: %s (%s)", message.id, self._name, _line(fault), fate)

    async def _try(self, message: Received) -> None:
        try:
            content = decode(message.text, is_base64=self.options.is_base64)
        except UndecodableError:
            log.warning("Message %s of %s is not Base64", message.id, self._name)
            await self._move_to_poison(message, message.pop_receipt)
            return
        if message.dequeue_count > self.options.max_dequeue_count:
            await self._move_to_poison(message, message.pop_receipt)
            return
        lease = Lease(self.queue, message.id, message.pop_receipt, self.lease_seconds)
        async with lease:
            succeeded = await self._run_function(message, content)
        if succeeded:
            await self._delete(message, lease.pop_receipt)
        elif self.poison is None:
            # Without a poison queue the message stays hidden for its lease, lest it goes round.
            return
        elif message.dequeue_count >= self.options.max_dequeue_count:
            await self._move_to_poison(message, lease.pop_receipt)
        else:
            await self._release(message, lease.pop_receipt)

    async def _run_function(self, message: Received, content: bytes) -> bool:
        try:
            text = content.decode()
        except UnicodeDecodeError as fault:
            log.error("Message %s of %s is not UTF-8: %s", message.id, self._name, fault)  # noqa: TRY400 - a fault of the message, not of this code
            return False
        return (await self.invoke(call(message, text))).ok

    async def _move_to_poison(self, message: Received, pop_receipt: str) -> None:
        """Two calls: when the second fails, or this process ends between them, there are two.

        The text is copied as it stands. So one that is not Base64 is not Base64 in the poison queue
        either: a function there never sees it, and it lies there until it expires.
        """
        if self.poison is None:
            return
        log.warning("Message %s moves to %s", message.id, self.poison.queue_name)
        try:
            await self.poison.send_message(message.text)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):  # another instance was faster
                await self.poison.create_queue()
            await self.poison.send_message(message.text)
        self.wake_pump(str(self.poison.queue_name))
        await self._delete(message, pop_receipt)

    async def _delete(self, message: Received, pop_receipt: str) -> None:
        with message_gone():
            await self.queue.delete_message(message.id, pop_receipt)

    async def _release(self, message: Received, pop_receipt: str) -> None:
        seconds = int(self.options.visibility_timeout)
        with message_gone():
            await self.queue.update_message(message.id, pop_receipt, visibility_timeout=seconds)

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


def _line(fault: AzureError) -> str:
    return str(fault).partition("\n")[0]
