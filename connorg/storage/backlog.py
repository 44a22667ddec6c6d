"""How much a queue holds, at the cost of two calls however much that is."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from connorg.storage.connection import storage_errors

_MOST_PEEKED = 32  # the service's limit


@dataclass(frozen=True)
class Backlog:
    messages: int = 0
    """About how many there are, hidden ones too."""
    overdue_since: datetime | None = None
    """When the oldest was put of those that could be taken right now; None: there is none."""


async def backlog_of(queue: QueueClient) -> Backlog:
    """Raises StorageUnavailableError."""
    async with storage_errors():
        with suppress(ResourceNotFoundError):  # made with the first message
            properties = await queue.get_queue_properties()
            shown = await queue.peek_messages(_MOST_PEEKED)
            put = [message.inserted_on for message in shown if message.inserted_on is not None]
            return Backlog(properties.approximate_message_count or 0, min(put, default=None))
    return Backlog()
