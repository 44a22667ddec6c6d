"""How a message stays hidden while it is handled (queue extension, visibility renewal)."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import StorageErrorCode
from azure.storage.queue.aio import QueueClient

log = logging.getLogger("host")

NOT_FOUND, CONFLICT = 404, 409


class Lease:
    """Hides a message anew whenever half of its time (seconds) is over, until the block ends.

    Each renewal gives the message a new pop receipt; `pop_receipt` is the valid one.
    """

    def __init__(self, queue: QueueClient, message_id: str, pop_receipt: str, seconds: int) -> None:
        self.pop_receipt = pop_receipt
        self._queue = queue
        self._message_id = message_id
        self._seconds = seconds
        self._ended = asyncio.Event()

    async def __aenter__(self) -> None:
        self._renewals = asyncio.create_task(self._renew())

    async def __aexit__(self, *_: object) -> None:
        # Not by cancelling: a renewal that is under way brings the receipt that counts from now on.
        self._ended.set()
        await self._renewals

    async def _renew(self) -> None:
        wait = self._seconds / 2
        while not await self._ends_within(wait):
            try:
                with message_gone():
                    await self._hide()
                wait = self._seconds / 2
            except AzureError as fault:
                wait /= 2
                log.warning("Message %s could not be hidden anew: %s", self._message_id, fault)

    async def _hide(self) -> None:
        renewed = await self._queue.update_message(
            self._message_id, self.pop_receipt, visibility_timeout=self._seconds
        )
        self.pop_receipt = renewed.pop_receipt or self.pop_receipt

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        return self._ended.is_set()


@contextlib.contextmanager
def message_gone() -> Iterator[None]:
    """Swallow what storage answers about a message that this host has no hold on any more.

    A stale pop receipt: its lease ran out and somebody else has it, who will conclude it.
    404: somebody else has deleted it. 409: its queue is being deleted, and it with it.
    """
    try:
        yield
    except HttpResponseError as fault:
        is_stale = getattr(fault, "error_code", None) == StorageErrorCode.POP_RECEIPT_MISMATCH
        if not is_stale and fault.status_code not in (NOT_FOUND, CONFLICT):
            raise
        log.debug("A message is in other hands: %s", fault.reason)
