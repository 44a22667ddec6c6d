"""The queue functions of batches. Only connorg puts messages on their queue."""

import logging

import azure.functions as func

from connorg.batch_rows import bury_rows, resume_rows
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.requests import InvalidValuesError, MalformedBodyError, parse
from connorg.functions.messages import text_of
from connorg.wiring import core

_log = logging.getLogger(__name__)


async def on_message(msg: func.QueueMessage) -> None:
    """Queue `batch`. The host deletes the message when this returns."""
    if (message := _read(msg)) is not None:
        await resume_rows(core(), message, msg.dequeue_count or 1)


async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `batch-poison`. What raises here stays hidden and comes again."""
    if (message := _read(msg)) is not None:
        await bury_rows(core(), message)


def _read(msg: func.QueueMessage) -> OnboardingMessage | BatchMessage | None:
    text = text_of(msg)
    try:
        if '"onboardingId"' in text:
            return parse(OnboardingMessage, text)
        return parse(BatchMessage, text)
    except (MalformedBodyError, InvalidValuesError) as error:
        _log.error("a message on the queue of batches could not be understood: %s", error)
        return None
