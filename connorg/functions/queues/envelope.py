"""What every queue function does with a message before it knows what it is about."""

import base64
import binascii
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import azure.functions as func

from connorg.contract.onboarding import OnboardingError
from connorg.contract.problems import ErrorCode
from connorg.contract.versions import NewerVersionError
from connorg.core.onboarding.producers import record_unreadable
from connorg.core.ports import Receipt, SupersededError
from connorg.settings import ConfigurationError
from connorg.wiring import message_queue, services

_log = logging.getLogger(__name__)

_UNTIL_MENDED = 5 * 60.0  # seconds; an upgrade takes minutes too, and so does a setting
_UNTIL_LEASE_ENDS = 30.0  # seconds; a lease is half a minute long unless an attempt may take longer
_UNTIL_NEXT_BURIAL = 10 * 60.0  # seconds, doubled with each try
_LONGEST_UNTIL_NEXT_BURIAL = 6 * 60 * 60.0  # some 30 tries in the seven days of a poison message
_MOST_DOUBLINGS = 10


@asynccontextmanager
async def leaving_in_place(queue: str, text: str) -> AsyncIterator[None]:
    """Leave what a newer version wrote, message or row, until that version is back.

    And leave everything while the app settings are wrong.

    The message is put again, unchanged: messages never expire, while a delivery that fails counts
    towards poison, and poison expires.
    """
    try:
        yield
    except NewerVersionError as error:
        await message_queue(queue).put_back(text, _UNTIL_MENDED)
        _log.warning("a queue message was left for a newer version of connorg. %s", error)
    except ConfigurationError as error:
        await message_queue(queue).put_back(text, _UNTIL_MENDED)
        _log.error("a queue message was left until the app settings are right. %s", error)


@asynccontextmanager
async def telling_once(queue: str, msg: func.QueueMessage) -> AsyncIterator[None]:
    """Log once that poison can't be dealt with, and try again ever more rarely while it lives.

    A queue of poison has none of its own: the host would call a function that fails every ten
    minutes for seven days, and log it each time. So the message is hidden here and the function
    succeeds: the host finds that its receipt is stale, and leaves the message where it is. Where
    storage can't be reached the function fails, and the host hides the message.
    """
    tries = msg.dequeue_count or 1
    receipt = Receipt(str(msg.id), str(msg.pop_receipt))
    try:
        yield
    except SupersededError as error:  # no fault: an attempt has its lease still
        await message_queue(f"{queue}-poison").hide(receipt, _UNTIL_LEASE_ENDS)
        _log.info("a message of %s-poison waits: %s", queue, error)
    except Exception:  # noqa: BLE001  whatever it is, the next try may go well
        pause = _UNTIL_NEXT_BURIAL * 2 ** min(tries - 1, _MOST_DOUBLINGS)
        await message_queue(f"{queue}-poison").hide(receipt, min(pause, _LONGEST_UNTIL_NEXT_BURIAL))
        tell = _log.exception if tries == 1 else _log.info
        tell("a message of %s-poison can't be processed yet (try %d)", queue, tries)


def text_of(msg: func.QueueMessage) -> str:
    """Decode a message. host.json leaves that to us.

    Where the host decodes Base64 it hides a message that is none, in the poison queue and there
    from the poison function too, until it expires: nothing would ever report it. Base64 may be
    broken into lines, as `base64` does by default; and files of Windows begin with a mark (BOM).
    """
    body = msg.get_body()
    with suppress(binascii.Error, UnicodeDecodeError):
        return base64.b64decode(b"".join(body.split()), validate=True).decode("utf-8-sig")
    return body.decode("utf-8-sig", errors="replace")


def put_at(msg: func.QueueMessage) -> datetime | None:
    """Return when a message was put on the queue; None if that is not told, or without a zone."""
    put = msg.insertion_time
    return put if put is not None and put.tzinfo is not None else None


def unreadable_message(why: Exception) -> OnboardingError:
    return OnboardingError(
        code=ErrorCode.MESSAGE_UNREADABLE,
        message=f"The queue message could not be understood. {why}",
        action="Correct it and put it on the queue again.",
    )


async def keep_unreadable(text: str, error: OnboardingError) -> None:
    _log.warning("a queue message could not be understood and is stored as a failed onboarding")
    await record_unreadable(services(), text, error)
