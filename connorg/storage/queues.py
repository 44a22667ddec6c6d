"""The RetryQueue, the CallbackQueue and the MessageQueue on Azure Storage queues."""

import math
from contextlib import suppress
from dataclasses import replace

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.model import Model
from connorg.core.ports import Backlog, Receipt
from connorg.storage.connection import storage_errors

_NEVER = -1  # time to live: what is still to do must not expire
_MOST_PEEKED = 32  # the service's limit
_LONGEST_DELAY = 7 * 24 * 60 * 60 - 60  # seconds; the service allows seven days


class AzureRetryQueue:
    """One queue. See ports.RetryQueue, ports.CallbackQueue and ports.MessageQueue."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    async def put(self, message: Model, delay: float) -> Receipt:
        return await self._put(_text(message), delay)

    async def put_back(self, text: str, delay: float) -> None:
        await self._put(text, delay)

    async def hide(self, receipt: Receipt, delay: float) -> None:
        async with storage_errors():
            await self._queue.update_message(
                receipt.message_id, receipt.pop_receipt, visibility_timeout=_whole_seconds(delay)
            )

    async def is_there(self) -> bool:
        async with storage_errors():
            try:
                await self._queue.get_queue_properties()
            except ResourceNotFoundError:  # made with the first message
                return False
        return True

    async def backlog(self) -> Backlog:
        async with storage_errors():
            with suppress(ResourceNotFoundError):
                properties = await self._queue.get_queue_properties()
                shown = await self._queue.peek_messages(_MOST_PEEKED)
                put = [message.inserted_on for message in shown if message.inserted_on is not None]
                return Backlog(properties.approximate_message_count or 0, min(put, default=None))
        return Backlog()

    async def _put(self, text: str, delay: float) -> Receipt:
        async with storage_errors():
            try:
                return await self._send(text, delay)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another instance was quicker
                    await self._queue.create_queue()
                return await self._send(text, delay)

    async def _send(self, text: str, delay: float) -> Receipt:
        sent = await self._queue.send_message(
            text, visibility_timeout=_whole_seconds(delay), time_to_live=_NEVER
        )
        return Receipt(str(sent.id), str(sent.pop_receipt))

    async def move(self, receipt: Receipt, message: OnboardingMessage, delay: float) -> None:
        async with storage_errors():
            try:
                await self._queue.update_message(
                    receipt.message_id,
                    receipt.pop_receipt,
                    content=_text(message),
                    visibility_timeout=_whole_seconds(delay),
                )
            except HttpResponseError as error:
                _raise_unless_out_of_hand(error)

    async def delete(self, receipt: Receipt) -> None:
        async with storage_errors():
            try:
                await self._queue.delete_message(receipt.message_id, receipt.pop_receipt)
            except HttpResponseError as error:
                _raise_unless_out_of_hand(error)


class AzureRetryQueues:
    """See ports.RetryQueue. Rows of batches have a queue of their own: nobody's message stands
    behind thousands of them."""

    def __init__(self, onboardings: AzureRetryQueue, rows: AzureRetryQueue) -> None:
        self._onboardings = onboardings
        self._rows = rows

    async def put(self, message: OnboardingMessage | BatchMessage, delay: float) -> Receipt:
        of_batch = _is_of_batch(message)
        receipt = await self._queue(of_batch=of_batch).put(message, delay)
        return replace(receipt, of_batch=of_batch)

    async def move(self, receipt: Receipt, message: OnboardingMessage, delay: float) -> None:
        await self._queue(of_batch=receipt.of_batch).move(receipt, message, delay)

    async def delete(self, receipt: Receipt) -> None:
        await self._queue(of_batch=receipt.of_batch).delete(receipt)

    def _queue(self, *, of_batch: bool) -> AzureRetryQueue:
        return self._rows if of_batch else self._onboardings


def _is_of_batch(message: OnboardingMessage | BatchMessage) -> bool:
    return isinstance(message, BatchMessage) or message.batch_row is not None


def _raise_unless_out_of_hand(error: HttpResponseError) -> None:
    """Pass over a message that is gone (404) or that the queue trigger took (400: stale receipt).

    Its reader looks into the ledger for what is left to do, if anything.
    """
    if error.status_code not in {400, 404}:
        raise error


def _text(message: Model) -> str:
    return message.model_dump_json(exclude_none=True)


def _whole_seconds(delay: float) -> int:
    """Round up: a message that comes early would only be put back."""
    return min(_LONGEST_DELAY, max(0, math.ceil(delay)))
