"""What every RetryQueue promises: the one on the simulated queue, and the one on Azurite's."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ServiceRequestError
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from connorg.contract.identifiers import partition_of
from connorg.contract.messages import OnboardingMessage
from connorg.contract.parsing import parse
from connorg.contract.storage_names import ONBOARDING_QUEUE
from connorg.core.ports import Receipt, RetryQueue, StorageUnavailableError
from connorg.storage.connection import queue
from connorg.storage.queues import AzureRetryQueue
from tests.contract.conftest import AZURITE
from tests.contract.test_ledger import connection_string
from tests.simulation.storage import Queue, by_turns, retry_queue_on
from tests.unit.partners import request

HOUR = 3600.0


@dataclass(frozen=True)
class Delivery:
    """A message in the hands of the queue trigger."""

    text: str
    expires: bool
    delete: Callable[[], Awaitable[None]]


class Trigger(Protocol):
    """The queue from the trigger's side."""

    async def __call__(self, hidden: int = 600) -> Delivery | None:
        """Take a message that is visible."""
        ...


@dataclass(frozen=True)
class UnderTest:
    queue: RetryQueue
    take: Trigger


@pytest.fixture(params=["simulated", AZURITE])
async def under_test(request: pytest.FixtureRequest) -> AsyncIterator[UnderTest]:
    """A queue that does not exist yet."""
    if request.param == "simulated":
        yield simulated()
        return
    connection = request.getfixturevalue("storage")
    async with QueueClient.from_connection_string(
        connection,
        f"onboarding-{uuid4().hex}",
        message_encode_policy=TextBase64EncodePolicy(),
        message_decode_policy=TextBase64DecodePolicy(),
    ) as client:
        yield real(client)


def simulated() -> UnderTest:
    service = Queue(lambda: 0.0)

    async def take(hidden: int = 600) -> Delivery | None:
        message = service.take(hidden)
        if message is None:
            return None

        async def delete() -> None:
            service.delete(message.id, message.pop_receipt)

        return Delivery(message.text, expires=False, delete=delete)

    return UnderTest(retry_queue_on(service, by_turns), take)


def real(client: QueueClient) -> UnderTest:
    async def take(hidden: int = 600) -> Delivery | None:
        message = await client.receive_message(visibility_timeout=hidden)
        if message is None:
            return None

        async def delete() -> None:
            await client.delete_message(message)

        # "Put Message" (Azure Storage): without an end, a message expires in the year 9999.
        assert message.expires_on
        return Delivery(message.content, message.expires_on.year < 9999, delete)

    return UnderTest(AzureRetryQueue(client), take)


def message(attempt: int = 0) -> OnboardingMessage:
    asked = request()
    return OnboardingMessage(
        onboarding_id=f"{partition_of(asked.natural_key)}-{'0' * 32}",
        request=asked,
        channel="http",
        attempt=attempt,
        replay="r",
    )


def read(delivery: Delivery | None) -> OnboardingMessage:
    assert delivery is not None
    return parse(OnboardingMessage, delivery.text)


async def test_a_message_arrives_as_it_was_put_and_never_expires(under_test: UnderTest) -> None:
    await under_test.queue.put(message(), 0)
    delivery = await under_test.take()
    assert read(delivery) == message()
    assert delivery
    assert not delivery.expires


async def test_a_delayed_message_is_hidden_until_then(under_test: UnderTest) -> None:
    receipt = await under_test.queue.put(message(), HOUR)
    assert await under_test.take() is None
    await under_test.queue.move(receipt, message(1), 0)
    assert read(await under_test.take()) == message(1)


async def test_a_delay_is_rounded_up_so_that_no_message_comes_early() -> None:
    """On the simulated queue alone: the service does not tell when a hidden message is due."""
    service = Queue(lambda: 0.0)
    queue = retry_queue_on(service, by_turns)
    receipt = await queue.put(message(), 7.001)
    (held,) = service.messages.values()
    assert held.visible_at == 8
    await queue.move(receipt, message(), 2.5)
    assert held.visible_at == 3


async def test_a_fraction_of_a_second_is_a_delay(under_test: UnderTest) -> None:
    await under_test.queue.put(message(), 0.2)
    assert await under_test.take() is None


async def test_a_time_past_is_now(under_test: UnderTest) -> None:
    await under_test.queue.put(message(), -5)
    assert await under_test.take() is not None


async def test_a_delay_longer_than_the_service_takes_is_cut(under_test: UnderTest) -> None:
    receipt = await under_test.queue.put(message(), 30 * 24 * HOUR)
    assert await under_test.take() is None
    await under_test.queue.move(receipt, message(), 30 * 24 * HOUR)
    assert await under_test.take() is None


async def test_a_message_taken_back_never_comes(under_test: UnderTest) -> None:
    await under_test.queue.delete(await under_test.queue.put(message(), 0))
    assert await under_test.take() is None


async def test_a_moved_message_has_the_new_content_and_time(under_test: UnderTest) -> None:
    receipt = await under_test.queue.put(message(), 0)
    await under_test.queue.move(receipt, message(2), HOUR)
    assert await under_test.take() is None


async def test_a_message_in_hand_is_neither_moved_nor_taken_back(under_test: UnderTest) -> None:
    receipt = await under_test.queue.put(message(), 0)
    delivery = await under_test.take()
    await under_test.queue.move(receipt, message(3), 0)
    assert await under_test.take() is None
    await under_test.queue.delete(receipt)
    assert delivery
    await delivery.delete()  # raises if it was gone


async def test_a_message_that_was_in_hand_and_came_back_is_not_ours_any_more(
    under_test: UnderTest,
) -> None:
    receipt = await under_test.queue.put(message(), 0)
    await under_test.take(hidden=1)
    await under_test.queue.move(receipt, message(3), HOUR)
    await under_test.queue.delete(receipt)


async def test_what_is_gone_is_neither_moved_nor_put_again(under_test: UnderTest) -> None:
    receipt = await under_test.queue.put(message(), 0)
    delivery = await under_test.take()
    assert delivery
    await delivery.delete()
    await under_test.queue.move(receipt, message(), 0)
    await under_test.queue.delete(receipt)
    assert await under_test.take() is None


async def test_a_receipt_is_spent_by_a_move(under_test: UnderTest) -> None:
    """The core moves a message once; a second move or a delete would do nothing."""
    receipt = await under_test.queue.put(message(), HOUR)
    await under_test.queue.move(receipt, message(1), 0)
    await under_test.queue.delete(receipt)
    assert read(await under_test.take()) == message(1)


async def test_many_who_find_no_queue_at_once_all_put_their_message(
    under_test: UnderTest,
) -> None:
    await asyncio.gather(*(under_test.queue.put(message(i), 0) for i in range(8)))
    taken = [read(await under_test.take()).attempt for _ in range(8)]
    assert sorted(taken) == list(range(8))


# A queue that fails

RECEIPT = Receipt("message", "receipt")
CALLS: dict[str, Callable[[RetryQueue], Awaitable[object]]] = {
    "put": lambda queue: queue.put(message(), 0),
    "move": lambda queue: queue.move(RECEIPT, message(), 0),
    "delete": lambda queue: queue.delete(RECEIPT),
}


@pytest.fixture(params=["simulated", "real"])
async def unreachable(request: pytest.FixtureRequest) -> AsyncIterator[RetryQueue]:
    if request.param == "simulated":

        async def broken[T](_: str, __: Callable[[], T]) -> T:
            raise ServiceRequestError("no route to host")

        yield retry_queue_on(Queue(lambda: 0.0), broken)
        return
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        port = nobody.getsockname()[1]
        async with queue(ONBOARDING_QUEUE, connection_string(port), None, None) as client:
            yield AzureRetryQueue(client)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_method_tells_that_the_queue_cannot_be_reached(
    unreachable: RetryQueue, call: Callable[[RetryQueue], Awaitable[object]]
) -> None:
    with pytest.raises(StorageUnavailableError):
        await call(unreachable)


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_queue_that_refuses_is_unavailable(
    call: Callable[[RetryQueue], Awaitable[object]], status: int
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with (
        TestServer(app) as server,
        queue(ONBOARDING_QUEUE, connection_string(server.port or 0), None, None) as client,
    ):
        with pytest.raises(StorageUnavailableError):
            await call(AzureRetryQueue(client))
