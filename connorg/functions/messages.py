"""The queue functions: carry on with what the queue brings back, and bury what was given up."""

import base64
import binascii
import logging
from contextlib import suppress

import azure.functions as func
from pydantic_core import from_json

from connorg.contract.messages import OnboardingMessage, ProducerMessage
from connorg.contract.onboarding import OnboardingError
from connorg.contract.requests import InvalidValuesError, MalformedBodyError, parse
from connorg.resuming import (
    bury,
    bury_producers,
    receive,
    record_unreadable,
    resume,
)
from connorg.wiring import core

_log = logging.getLogger(__name__)


async def on_message(msg: func.QueueMessage) -> None:
    """Queue `onboarding`. The host deletes the message when this returns."""
    text = text_of(msg)
    match _read(text):
        case OnboardingMessage() as message:
            await resume(core(), message)
        case ProducerMessage() as message:
            await receive(core(), message)
        case OnboardingError() as error:
            await _keep_unreadable(text, error)


async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `onboarding-poison`. What raises here stays hidden and comes again."""
    text = text_of(msg)
    match _read(text):
        case OnboardingMessage() as message:
            await bury(core(), message)
        case ProducerMessage() as message:
            await bury_producers(core(), message)
        case OnboardingError() as error:
            await _keep_unreadable(text, error)


def text_of(msg: func.QueueMessage) -> str:
    """Decode a message. host.json leaves that to us.

    Where the host decodes Base64 it hides a message that is none, in the poison queue and there
    from the poison function too, until it expires: nobody would ever learn of it. Base64 may be
    broken into lines, as `base64` does unless told; and files of Windows begin with a mark (BOM).
    """
    body = msg.get_body()
    with suppress(binascii.Error, UnicodeDecodeError):
        return base64.b64decode(b"".join(body.split()), validate=True).decode("utf-8-sig")
    return body.decode("utf-8-sig", errors="replace")


def _read(text: str) -> OnboardingMessage | ProducerMessage | OnboardingError:
    """Tell our own messages from other people's by the id that only ours carry."""
    try:
        content = from_json(text)
        if isinstance(content, dict) and "onboardingId" in content:
            return parse(OnboardingMessage, text)
        return parse(ProducerMessage, text)
    except (ValueError, MalformedBodyError, InvalidValuesError) as error:
        return OnboardingError(
            code="MessageUnreadable",
            message=f"The queue message could not be understood. {error}",
            action="Correct it and put it on the queue again.",
        )


async def _keep_unreadable(text: str, error: OnboardingError) -> None:
    _log.warning("a queue message could not be understood and is kept as a failed onboarding")
    await record_unreadable(core(), text, error)
