"""How a message stays hidden while it is handled (queue extension, visibility renewal)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError
from azure.storage.queue.aio import QueueClient

from infra.local.functions_host.storage_calls import (
    Repeater,
    is_message_gone,
    is_server_fault,
    line,
)

log = logging.getLogger("host")

SHORTEST_WAIT_SECONDS = 60


@dataclass
class Lease:
    """Hides a message again whenever half of its time (seconds) is over, until the block ends.

    Each renewal gives the message a new pop receipt; `pop_receipt` is the valid one. After a fault
    of the server it is tried again a minute later; where the message is in other hands there is no
    further renewal, and its user does not see it; any other answer goes to `fail`.
    """

    queue: QueueClient
    message_id: str
    pop_receipt: str
    seconds: int
    repeat: Repeater
    fail: Callable[[str], None]
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> None:
        self._renewals = asyncio.create_task(self._renew())

    async def __aexit__(self, *_: object) -> None:
        # Not by cancelling: a renewal that is under way brings the receipt that counts from now on.
        self._ended.set()
        await self._renewals

    async def _renew(self) -> None:
        wait = self.seconds / 2
        while not await self._ends_within(wait):
            try:
                await self.repeat(self._hide)
                wait = self.seconds / 2
            except AzureError as fault:
                if is_message_gone(fault):
                    return
                if not is_server_fault(fault):
                    self.fail(f"Message {self.message_id} cannot be hidden anew: {line(fault)}")
                    return
                wait = min(SHORTEST_WAIT_SECONDS, self.seconds / 2)
                log.warning("Message %s could not be hidden anew: %s", self.message_id, fault)

    async def _hide(self) -> None:
        renewed = await self.queue.update_message(
            self.message_id, self.pop_receipt, visibility_timeout=self.seconds
        )
        self.pop_receipt = renewed.pop_receipt or self.pop_receipt

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        return self._ended.is_set()
