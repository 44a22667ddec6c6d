"""The queue functions of callbacks."""

import logging

import azure.functions as func

from connorg.contract.messages import CallbackMessage
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError, parse
from connorg.contract.storage_names import CALLBACK_QUEUE
from connorg.core.callbacks import bury_callback, call_back
from connorg.functions.queues.envelope import leaving_in_place, telling_once, text_of
from connorg.functions.unattended import unattended
from connorg.telemetry import hooks as telemetry
from connorg.wiring import services

_log = logging.getLogger(__name__)


@unattended
async def on_callback(msg: func.QueueMessage) -> None:
    """Queue `callback`. The host deletes the message when this returns."""
    async with leaving_in_place(CALLBACK_QUEUE, text_of(msg)):
        if (message := _read(msg)) is not None:
            await call_back(services(), message)


@unattended
async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `callback-poison`. What can't be buried yet stays hidden and comes again."""
    text = text_of(msg)
    async with telling_once(CALLBACK_QUEUE, msg), leaving_in_place(CALLBACK_QUEUE, text):
        if (message := _read(msg)) is not None:
            await bury_callback(services().ledger, message)
        telemetry.poisoned(CALLBACK_QUEUE)


def _read(msg: func.QueueMessage) -> CallbackMessage | None:
    try:
        return parse(CallbackMessage, text_of(msg))
    except (MalformedBodyError, InvalidValuesError):
        # Only connorg puts messages there. It may hold an address, so it is not logged.
        _log.error("message %s on the queue of callbacks could not be understood", msg.id)
        return None
