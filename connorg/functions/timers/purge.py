"""The timer function that keeps the ledger small."""

import azure.functions as func

from connorg.core.retention import purge
from connorg.functions.unattended import unattended
from connorg.wiring import services

EVERY_NIGHT = (
    "0 17 3 * * *"  # second, minute, hour, in UTC; off the full hour, when others are busy
)


@unattended
async def purge_ledger(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host binds by name
    await purge(services())
