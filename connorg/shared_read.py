"""One read for all who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable


class SharedRead[T]:
    """Reads what many want at once, fewer times than they ask.

    Nobody gets what was read before they asked: who comes while a read is under way waits for it to
    end and shares the next one. So it is as true as a read of one's own, under load at a fraction
    of the cost.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._under_way: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._under_way))
        # Who gives up leaves the read to the others.
        return await asyncio.shield(self._next)

    async def _read_after(self, under_way: asyncio.Task[T] | None) -> T:
        if under_way is not None:
            await asyncio.wait({under_way})
        self._under_way, self._next = self._next, None
        return await self._read()
