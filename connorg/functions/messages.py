"""The queue functions: carry on with what the queue brings back, and bury what was given up."""

import base64
import binascii
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import azure.functions as func
from pydantic_core import from_json

from connorg import telemetry
from connorg.contract.messages import OnboardingMessage, ProducerMessage
from connorg.contract.onboarding import OnboardingError
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError, parse
from connorg.contract.versions import NewerVersionError
from connorg.core.onboarding.producers import bury_producers, receive, record_unreadable
from connorg.core.onboarding.resume import bury, resume
from connorg.storage.names import ONBOARDING_QUEUE
from connorg.wiring import core, retry_queue

_log = logging.getLogger(__name__)

_UNTIL_UPGRADED = 5 * 60.0  # seconds; an upgrade takes minutes too


async def on_message(msg: func.QueueMessage) -> None:
    """Queue `onboarding`. The host deletes the message when this returns."""
    text = text_of(msg)
    async with leaving_newer(ONBOARDING_QUEUE, text):
        match _read(text):
            case OnboardingMessage() as message:
                await resume(core(), message)
            case ProducerMessage() as message:
                await receive(core(), message)
            case OnboardingError() as error:
                await keep_unreadable(text, error)


async def on_poison(msg: func.QueueMessage) -> None:
    """Queue `onboarding-poison`. What raises here stays hidden and comes again."""
    text = text_of(msg)
    async with leaving_newer(ONBOARDING_QUEUE, text):
        match _read(text):
            case OnboardingMessage() as message:
                await bury(core(), message)
            case ProducerMessage() as message:
                await bury_producers(core(), message)
            case OnboardingError() as error:
                await keep_unreadable(text, error)
        telemetry.poisoned(ONBOARDING_QUEUE)


@asynccontextmanager
async def leaving_newer(queue: str, text: str) -> AsyncIterator[None]:
    """Leave what a newer version wrote, message or row, until that version is back.

    The message is put anew, as it stands: messages never expire, while a delivery that fails counts
    towards poison, and poison expires.
    """
    try:
        yield
    except NewerVersionError as error:
        await retry_queue(queue).put_back(text, _UNTIL_UPGRADED)
        _log.warning("a queue message was left for a newer version of connorg. %s", error)


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
        return unreadable_message(error)


def unreadable_message(why: Exception) -> OnboardingError:
    return OnboardingError(
        code="MessageUnreadable",
        message=f"The queue message could not be understood. {why}",
        action="Correct it and put it on the queue again.",
    )


async def keep_unreadable(text: str, error: OnboardingError) -> None:
    _log.warning("a queue message could not be understood and is kept as a failed onboarding")
    await record_unreadable(core(), text, error)
