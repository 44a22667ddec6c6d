"""The timer function: what no other function can report, because it is about work not done."""

import logging
from datetime import timedelta

import azure.functions as func

from connorg.contract.storage_names import ONBOARDING_QUEUE
from connorg.core.ports import StorageUnavailableError
from connorg.functions.unattended import unattended
from connorg.telemetry import hooks as telemetry
from connorg.wiring import message_queue, services

_log = logging.getLogger(__name__)

EACH_MINUTE = "0 * * * * *"
_UNTIL_NEXT = timedelta(seconds=90)


@unattended
async def observe(timer: func.TimerRequest) -> None:  # noqa: ARG001  the worker's name for it
    """Return how many onboardings wait. The host runs it on one instance at a time."""
    now = services().clock.now()
    try:
        backlog = await message_queue(ONBOARDING_QUEUE).backlog()
    except StorageUnavailableError as error:
        _log.warning("the queue can't be looked at: %s", error)
        return
    telemetry.waiting(backlog.messages)
    if backlog.overdue_since is not None:
        telemetry.put_back(backlog.overdue_since, now + _UNTIL_NEXT)
