"""Purge: forget what closed long ago."""

import logging
from contextlib import aclosing
from datetime import timedelta

from connorg.core import Core

_log = logging.getLogger(__name__)


async def purge(core: Core) -> int:
    """Delete what closed longer ago than it is kept; give how many onboardings that were.

    Stops in time; the next purge goes on. Raises StorageUnavailableError.
    """
    if not core.timing.retention:
        return 0
    began = core.clock.now()
    before = began - timedelta(seconds=core.timing.retention)
    last = began + timedelta(seconds=core.timing.purge_limit)
    purged = 0
    async with aclosing(core.ledger.purge(before)) as steps:
        async for count in steps:
            purged += count
            if core.clock.now() >= last:
                _log.warning("the purge did not get through; the next one goes on")
                break
    _log.info("purged %d onboardings that ended before %s", purged, before.isoformat())
    return purged
