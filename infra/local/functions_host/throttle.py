"""How many requests a host takes at once (extensions.http of host.json)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from infra.local.functions_host.host_json import HttpOptions


class Throttle:
    """Lets so many run, has the others wait in order, and is full beyond so many of both."""

    def __init__(self, options: HttpOptions) -> None:
        self._most = options.most_outstanding
        self._outstanding = 0
        self._running = (
            asyncio.Semaphore(options.most_concurrent) if options.most_concurrent else None
        )

    @property
    def is_full(self) -> bool:
        return self._most is not None and self._outstanding >= self._most

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place, and wait until it may run. Ask `is_full` before."""
        self._outstanding += 1
        try:
            async with self._running or contextlib.nullcontext():
                yield
        finally:
            self._outstanding -= 1
