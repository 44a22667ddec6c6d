"""The queue functions of batches. Only connorg puts messages on their queue."""

import azure.functions as func

from connorg import telemetry
from connorg.batch_rows import bury_rows, resume_rows
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import OnboardingError
from connorg.contract.requests import InvalidValuesError, MalformedBodyError, parse
from connorg.functions.messages import keep_unreadable, leaving_newer, text_of, unreadable_message
from connorg.storage.names import BATCH_QUEUE
from connorg.wiring import core


async def on_message(msg: func.QueueMessage) -> None:
    """Queue `batch`. The host deletes the message when this returns."""
    text = text_of(msg)
    async with leaving_newer(BATCH_QUEUE, text):
        match _read(text):
            case OnboardingError() as error:
                await keep_unreadable(text, error)
            case message:
                await resume_rows(core(), message, msg.dequeue_count or 1)


async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `batch-poison`. What raises here stays hidden and comes again."""
    text = text_of(msg)
    async with leaving_newer(BATCH_QUEUE, text):
        match _read(text):
            case OnboardingError() as error:
                await keep_unreadable(text, error)
            case message:
                await bury_rows(core(), message)
        telemetry.poisoned(BATCH_QUEUE)


def _read(text: str) -> OnboardingMessage | BatchMessage | OnboardingError:
    try:
        if '"onboardingId"' in text:
            return parse(OnboardingMessage, text)
        return parse(BatchMessage, text)
    except (MalformedBodyError, InvalidValuesError) as error:
        return unreadable_message(error)
