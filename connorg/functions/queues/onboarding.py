"""The queue functions: continue what the queue brings back, and bury what was given up."""

import azure.functions as func
from pydantic_core import from_json

from connorg.contract.asking import ask_fields
from connorg.contract.messages import OnboardingMessage, ProducerMessage
from connorg.contract.onboarding import OnboardingError
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError, parse_fields
from connorg.contract.storage_names import ONBOARDING_QUEUE
from connorg.core.onboarding.producers import bury_producers, receive
from connorg.core.onboarding.resume import bury, resume
from connorg.functions.queues.envelope import (
    keep_unreadable,
    leaving_in_place,
    put_at,
    telling_once,
    text_of,
    unreadable_message,
)
from connorg.functions.unattended import unattended
from connorg.telemetry import hooks as telemetry
from connorg.wiring import message_queue, services


@unattended
async def on_message(msg: func.QueueMessage) -> None:
    """Queue `onboarding`. The host deletes the message when this returns."""
    text = text_of(msg)
    async with leaving_in_place(ONBOARDING_QUEUE, text):
        match _read(text):
            case OnboardingMessage() as message:
                await resume(services(), message)
            case ProducerMessage() as message:
                delay = await receive(services(), message, put_at(msg))
                if delay is not None:
                    await message_queue(ONBOARDING_QUEUE).put_back(text, delay)
            case OnboardingError() as error:
                await keep_unreadable(text, error)


@unattended
async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `onboarding-poison`. What can't be buried yet stays hidden and comes again."""
    text = text_of(msg)
    async with telling_once(ONBOARDING_QUEUE, msg), leaving_in_place(ONBOARDING_QUEUE, text):
        match _read(text):
            case OnboardingMessage() as message:
                await bury(services(), message)
            case ProducerMessage() as message:
                await bury_producers(services(), message, put_at(msg))
            case OnboardingError() as error:
                await keep_unreadable(text, error)
        telemetry.poisoned(ONBOARDING_QUEUE)


def _read(text: str) -> OnboardingMessage | ProducerMessage | OnboardingError:
    """Distinguish our own messages from other people's by the id that only ours carry."""
    try:
        content = from_json(text)
        if isinstance(content, dict) and "onboardingId" in content:
            return parse_fields(OnboardingMessage, content)
        return ask_fields(ProducerMessage, content)
    except (ValueError, MalformedBodyError, InvalidValuesError) as error:
        return unreadable_message(error)
