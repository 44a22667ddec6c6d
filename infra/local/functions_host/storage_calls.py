"""How a call to storage is repeated, and what its failure means (storage SDK for .NET)."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import StorageErrorCode

log = logging.getLogger("host")

TRIES = 6
FIRST_WAIT_SECONDS = 0.8
SPREAD = 0.2
REPEATED_STATUSES = (408, 429, 500, 502, 503, 504)
NOT_FOUND, CONFLICT, SERVER_FAULT = 404, 409, 500


@dataclass(frozen=True)
class Repeater:
    """Tries a call six times: with the waits of the real SDK that takes 20 to 30 s in all.

    Retry-After is obeyed where it is longer than the wait.
    """

    first_wait: float = FIRST_WAIT_SECONDS

    async def __call__[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """Raise AzureError as the last try does."""
        for attempt in range(TRIES):
            try:
                return await call()
            except AzureError as fault:
                if attempt == TRIES - 1 or not _is_repeated(fault):
                    raise
                wait = self.first_wait * 2**attempt * random.uniform(1 - SPREAD, 1 + SPREAD)
                await asyncio.sleep(max(wait, _retry_after(fault)))
        raise AssertionError("the last try returns or raises")


def is_server_fault(fault: AzureError) -> bool:
    """Whether storage answered 5xx: the listener continues after that, and after nothing else."""
    return isinstance(fault, HttpResponseError) and (fault.status_code or 0) >= SERVER_FAULT


@contextlib.contextmanager
def message_gone() -> Iterator[None]:
    """Swallow what storage answers about a message that this host has no hold on any more."""
    try:
        yield
    except HttpResponseError as fault:
        if not is_message_gone(fault):
            raise
        log.debug("A message is in other hands: %s", fault.reason)


def is_message_gone(fault: AzureError) -> bool:
    """Whether somebody else has the message, or has deleted it or its queue.

    A stale pop receipt: its lease ran out and somebody else has it, who will conclude it.
    404: somebody else has deleted it. 409: its queue is being deleted, and it with it.
    """
    is_stale = getattr(fault, "error_code", None) == StorageErrorCode.POP_RECEIPT_MISMATCH
    status = fault.status_code if isinstance(fault, HttpResponseError) else None
    return is_stale or status in (NOT_FOUND, CONFLICT)


def line(fault: AzureError) -> str:
    return str(fault).partition("\n")[0]


def _is_repeated(fault: AzureError) -> bool:
    """Of what was answered; without an answer (refused, cut, timed out) always."""
    if isinstance(fault, HttpResponseError):
        return fault.status_code in REPEATED_STATUSES
    return True


def _retry_after(fault: AzureError) -> float:
    headers: Mapping[str, str] = getattr(getattr(fault, "response", None), "headers", {})
    text = headers.get("Retry-After", "0")
    return float(text) if text.isdecimal() else 0.0
