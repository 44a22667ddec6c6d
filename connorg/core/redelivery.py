"""Messages that must come again.

The Functions host deletes a message when its function returns, and counts a delivery that fails
towards the poison queue. So what must come again is put again, as a new message.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from connorg.core.ports import StorageUnavailableError

POSTPONE = 15.0  # seconds until a message that met a passing obstacle comes back


class Puts[Message](Protocol):
    """A queue, as far as it takes messages."""

    async def put(self, message: Message, delay: float, /) -> object: ...


@asynccontextmanager
async def put_again_in_outage[Message](
    queue: Puts[Message], message: Message
) -> AsyncIterator[None]:
    """Put the message again where storage does not answer: an outage must not poison it.

    Raise StorageUnavailableError when the queue can't be reached either.
    """
    try:
        yield
    except StorageUnavailableError:
        await queue.put(message, POSTPONE)
