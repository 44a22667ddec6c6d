"""Purge: forget what closed long ago."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta

from connorg.core.services import Services

_log = logging.getLogger(__name__)


async def purge(services: Services) -> int:
    """Delete what is older than it is kept; give how many onboardings and batches that were.

    Stops in time; the next purge continues. Raise StorageUnavailableError.
    """
    if not services.timing.retention:
        return 0
    began = services.clock.now()
    before = began - timedelta(seconds=services.timing.retention)
    last = began + timedelta(seconds=services.timing.purge_limit)
    purged = 0
    async with aclosing(_steps(services, before)) as steps:
        async for count in steps:
            purged += count
            if services.clock.now() >= last:
                _log.warning("the purge was not finished; the next one continues")
                break
    _log.info("purged %d onboardings and batches from before %s", purged, before.isoformat())
    return purged


async def _steps(services: Services, before: datetime) -> AsyncGenerator[int]:
    for purge_next in (services.ledger.purge, services.batches.purge):
        async with aclosing(purge_next(before)) as steps:
            async for count in steps:
                yield count
