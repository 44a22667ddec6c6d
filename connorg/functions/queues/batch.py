"""The queue functions of batches. Only connorg puts messages on their queue."""

from collections.abc import Awaitable, Callable

import azure.functions as func

from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import OnboardingError
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError, parse
from connorg.contract.storage_names import BATCH_QUEUE
from connorg.core.batches.rows import bury_rows, resume_rows
from connorg.functions.queues.envelope import (
    keep_unreadable,
    leaving_in_place,
    telling_once,
    text_of,
    unreadable_message,
)
from connorg.functions.unattended import unattended
from connorg.telemetry import hooks as telemetry
from connorg.wiring import services

type Act = Callable[[OnboardingMessage | BatchMessage], Awaitable[None]]


@unattended
async def on_message(msg: func.QueueMessage) -> None:
    """Queue `batch`. The host deletes the message when this returns."""
    await _deal_with(msg, lambda message: resume_rows(services(), message, msg.dequeue_count or 1))


@unattended
async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `batch-poison`. What can't be buried yet stays hidden and comes again."""
    async with telling_once(BATCH_QUEUE, msg):
        if await _deal_with(msg, lambda message: bury_rows(services(), message)):
            telemetry.poisoned(BATCH_QUEUE)


async def _deal_with(msg: func.QueueMessage, act: Act) -> bool:
    """Act on a message, and keep one that can't be understood. False: a newer version's, left."""
    text = text_of(msg)
    async with leaving_in_place(BATCH_QUEUE, text):
        match _read(text):
            case OnboardingError() as error:
                await keep_unreadable(text, error)
            case message:
                await act(message)
        return True
    return False


def _read(text: str) -> OnboardingMessage | BatchMessage | OnboardingError:
    try:
        if '"onboardingId"' in text:
            return parse(OnboardingMessage, text)
        return parse(BatchMessage, text)
    except (MalformedBodyError, InvalidValuesError) as error:
        return unreadable_message(error)
