"""The queue pump of the local Functions host: real queue, a function that the test directs."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from infra.local.functions_host.host_json import QueueOptions
from infra.local.functions_host.queue_lease import Lease
from infra.local.functions_host.queue_pump import LEASE_SECONDS, QueuePump
from infra.local.functions_host.storage_calls import Repeater
from infra.local.functions_host.worker import Call, Json, Result
from tests.contract.functions_host import encoded, eventually, is_empty, unique

OPTIONS = {"max_polling_interval": 0.1}


def date(call: Call, name: str) -> datetime:
    value = call.metadata[name]
    assert isinstance(value, Json)
    return datetime.fromisoformat(json.loads(value.text))


@dataclass
class Function:
    """Stands in for a queue function: notes each call, and does what the test wants done."""

    act: Callable[[Call], Any] = lambda _: True
    calls: list[Call] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def contents(self) -> list[Any]:
        return [call.input for call in self.calls]

    async def __call__(self, call: Call) -> Result:
        self.calls.append(call)
        self.times.append(time.monotonic())
        result = self.act(call)
        return Result(ok=await result if asyncio.iscoroutine(result) else result)


@dataclass
class Bench:
    """A queue, its poison queue, and pumps on them that end with the test."""

    service: QueueServiceClient
    queue: QueueClient
    poison: QueueClient
    ending: contextlib.AsyncExitStack
    failures: list[str] = field(default_factory=list)

    def pump(
        self,
        function: Function,
        queue: QueueClient | None = None,
        poison: QueueClient | None = None,
        lease_seconds: int = LEASE_SECONDS,
        **options: Any,
    ) -> None:
        pump = QueuePump(
            queue or self.queue,
            poison if queue else self.poison,
            QueueOptions(**OPTIONS, **options),  # type: ignore[arg-type] # one value, of one field
            function,
            lease_seconds,
            wake_pump=lambda _: None,
            fail=self.failures.append,
        )
        self.ending.callback(asyncio.create_task(pump.run()).cancel)

    async def send(self, *texts: str) -> None:
        for text in texts:
            await self.queue.send_message(encoded(text))

    async def poisoned(self) -> list[QueueMessage]:
        """The messages in the poison queue, once there are any and the original is gone."""

        async def has_moved() -> bool:
            try:
                return not await is_empty(self.poison) and await is_empty(self.queue)
            except ResourceNotFoundError:
                return False

        await eventually(has_moved, "the message has moved to the poison queue")
        return await self.poison.peek_messages(32)

    async def emptied(self) -> None:
        await eventually(lambda: is_empty(self.queue), "the queue is empty")


@pytest.fixture
async def bench(storage: str) -> AsyncIterator[Bench]:
    async with (
        QueueServiceClient.from_connection_string(storage) as service,
        contextlib.AsyncExitStack() as ending,
    ):
        name = unique("queue")
        queue = service.get_queue_client(name)
        await queue.create_queue()
        yield Bench(service, queue, service.get_queue_client(f"{name}-poison"), ending)


# What becomes of a message


async def test_success_deletes_the_message(bench: Bench) -> None:
    function = Function()
    bench.pump(function)
    await bench.send("hello é")
    await bench.emptied()
    assert function.contents == ["hello é"]


async def test_failures_bring_the_message_to_the_poison_queue_at_max_dequeue_count(
    bench: Bench,
) -> None:
    function = Function(lambda _: False)
    bench.pump(function, max_dequeue_count=3)
    sent = await bench.queue.send_message(encoded("bad"))
    [copy] = await bench.poisoned()
    assert function.contents == ["bad"] * 3
    assert copy.content == encoded("bad")
    assert copy.id != sent.id
    assert copy.expires_on
    assert copy.inserted_on
    assert copy.expires_on - copy.inserted_on == timedelta(days=7)


async def test_the_last_failure_does_not_wait_for_the_visibility_timeout(bench: Bench) -> None:
    bench.pump(Function(lambda _: False), max_dequeue_count=1, visibility_timeout=1000)
    await bench.send("bad")
    await bench.poisoned()


async def test_a_failed_message_is_hidden_for_the_visibility_timeout(bench: Bench) -> None:
    function = Function(lambda _: False)
    bench.pump(function, max_dequeue_count=2, visibility_timeout=1)
    await bench.send("bad")
    await bench.poisoned()
    first, second = function.times
    assert second - first > 0.9


async def test_a_message_received_too_often_is_poison_without_a_call(bench: Bench) -> None:
    await bench.send("seen before")
    received = await bench.queue.receive_message()
    assert received
    await bench.queue.update_message(received, visibility_timeout=0)
    function = Function()
    bench.pump(function, max_dequeue_count=1)
    [copy] = await bench.poisoned()
    assert copy.content == encoded("seen before")
    assert function.contents == []


async def test_a_message_that_is_not_base64_is_poison_without_a_call(bench: Bench) -> None:
    function = Function()
    bench.pump(function)
    await bench.queue.send_message("plain text")
    [copy] = await bench.poisoned()
    assert copy.content == "plain text"
    assert function.contents == []


async def test_what_is_not_base64_moves_before_anything_else_of_its_get_begins(
    bench: Bench,
) -> None:
    moved: list[int | None] = []

    async def note(_: Call) -> bool:
        moved.append((await bench.poison.get_queue_properties()).approximate_message_count)
        return True

    await bench.send("good")
    await bench.queue.send_message("plain text")
    bench.pump(Function(note))
    await bench.emptied()
    assert moved == [1]


async def test_poison_that_is_not_base64_never_reaches_its_function(bench: Bench) -> None:
    """The copy is the raw text, so the poison queue's function cannot decode it either."""
    await bench.poison.create_queue()
    await bench.poison.send_message("plain text")
    await bench.poison.send_message(encoded("proper"))
    function = Function()
    bench.pump(function, queue=bench.poison)

    async def only_one_is_left() -> bool:
        properties = await bench.poison.get_queue_properties()
        return properties.approximate_message_count == 1

    await eventually(only_one_is_left, "the proper message is handled")
    assert function.contents == ["proper"]


async def test_without_encoding_the_function_gets_the_text_as_it_is(bench: Bench) -> None:
    function = Function()
    bench.pump(function, is_base64=False)
    await bench.queue.send_message("plain text")
    await bench.emptied()
    assert function.contents == ["plain text"]


async def test_a_message_that_is_not_utf8_fails_without_a_call(bench: Bench) -> None:
    function = Function()
    bench.pump(function, max_dequeue_count=1)
    await bench.queue.send_message(base64.b64encode(b"\xff").decode())
    await bench.poisoned()
    assert function.contents == []


async def test_a_poison_queue_has_none_so_its_message_stays_hidden_for_the_lease(
    bench: Bench,
) -> None:
    await bench.poison.create_queue()
    await bench.poison.send_message(encoded("bad poison"))
    function = Function(lambda _: False)
    bench.pump(function, queue=bench.poison, lease_seconds=1)

    async def is_tried_again() -> bool:
        return len(function.times) == 2

    await eventually(is_tried_again, "it is tried again")
    first, second = function.times
    assert second - first > 0.9


# The hold on a message


async def test_a_message_is_hidden_for_ten_minutes_while_it_is_handled(bench: Bench) -> None:
    function = Function()
    bench.pump(function)
    await bench.send("any")
    await bench.emptied()
    hidden = date(function.calls[0], "NextVisibleTime") - date(function.calls[0], "InsertionTime")
    assert timedelta(minutes=10) <= hidden < timedelta(minutes=11)


async def test_a_lease_is_renewed_at_half_time_with_a_new_receipt(bench: Bench) -> None:
    await bench.send("slow")
    message = await bench.queue.receive_message(visibility_timeout=1)
    assert message
    assert message.pop_receipt
    lease = Lease(
        *(bench.queue, message.id, message.pop_receipt, 1), Repeater(), bench.failures.append
    )
    receipts = {message.pop_receipt}

    async def is_renewed_twice() -> bool:
        receipts.add(lease.pop_receipt)
        return len(receipts) == 3

    async with lease:
        await eventually(is_renewed_twice, "the lease is renewed twice")
    with pytest.raises(HttpResponseError):
        await bench.queue.delete_message(message.id, message.pop_receipt)
    await bench.queue.delete_message(message.id, lease.pop_receipt)


async def test_a_message_whose_lease_was_renewed_is_deleted_by_the_last_receipt(
    bench: Bench,
) -> None:
    async def outlast_half_of_the_lease(_: Call) -> bool:
        await asyncio.sleep(2.2)
        return True

    function = Function(outlast_half_of_the_lease)
    bench.pump(function, lease_seconds=4)
    await bench.send("slow")
    await bench.emptied()
    assert function.contents == ["slow"]


async def test_a_stale_receipt_is_swallowed_and_the_message_stays(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def take_over(call: Call) -> bool:
        """As another instance would, when the lease had run out."""
        if call.input == "taken":
            message_id, receipt = (str(call.metadata[name]) for name in ("Id", "PopReceipt"))
            await bench.queue.update_message(message_id, receipt, visibility_timeout=600)
        return True

    function = Function(take_over)
    bench.pump(function)
    await bench.send("taken")
    await bench.send("after it")

    async def both_are_handled() -> bool:
        return len(function.contents) == 2

    await eventually(both_are_handled, "both are handled")

    async def one_is_left() -> bool:
        properties = await bench.queue.get_queue_properties()
        return properties.approximate_message_count == 1

    await eventually(one_is_left, "the message that was taken over is left")
    assert "lease" not in caplog.text


# How many at once


async def test_a_new_batch_is_fetched_when_the_threshold_is_reached(bench: Bench) -> None:
    running: list[asyncio.Event] = []
    most = 0

    async def wait(_: Call) -> bool:
        nonlocal most
        may_end = asyncio.Event()
        running.append(may_end)
        most = max(most, len(running))
        await may_end.wait()
        running.remove(may_end)
        return True

    function = Function(wait)
    await bench.send(*(str(number) for number in range(12)))
    bench.pump(function, batch_size=4, new_batch_threshold=2)

    async def four_run() -> bool:
        return len(running) == 4

    await eventually(four_run, "a batch is handled in parallel")

    async def all_are_handled() -> bool:
        # Not below the threshold while there is more to fetch: the next batch may take its time.
        if running and (len(running) > 2 or len(function.contents) == 12):
            running[0].set()
        return len(function.contents) == 12 and not running

    await eventually(all_are_handled, "all are handled")
    assert most == 4 + 2


async def test_several_hosts_on_a_queue_share_its_messages(bench: Bench) -> None:
    functions = [Function(), Function()]
    for function in functions:
        bench.pump(function, batch_size=2)
    texts = [str(number) for number in range(20)]
    await bench.send(*texts)
    await bench.emptied()
    handled = [content for function in functions for content in function.contents]
    assert sorted(handled) == sorted(texts)


# Outages


async def test_a_missing_queue_is_neither_made_nor_a_fault(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    late = bench.service.get_queue_client(unique("late"))
    function = Function()
    bench.pump(function, queue=late)
    await asyncio.sleep(0.2)  # long enough to be polled, though nothing depends on that
    with pytest.raises(ResourceNotFoundError):
        await late.get_queue_properties()
    await late.create_queue()
    await late.send_message(encoded("at last"))
    await eventually(lambda: is_empty(late), "the queue is empty")
    assert function.contents == ["at last"]
    assert "cannot be read" not in caplog.text
