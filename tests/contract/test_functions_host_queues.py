"""Queue triggers of the local Functions host as a whole: real queue, real worker."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from tests.contract.functions_host import Host, encoded, eventually, is_empty, unique


@dataclass
class Work:
    """The sample app's queue, and the host that serves it."""

    host: Host
    queue: QueueClient
    poison: QueueClient


@pytest.fixture(scope="module")
async def work(storage: str) -> AsyncIterator[Work]:
    name = unique("work")
    async with QueueServiceClient.from_connection_string(storage) as service:
        queue = service.get_queue_client(name)
        await queue.create_queue()
        with Host(storage, {"WORK_QUEUE": name}) as host:
            yield Work(host, queue, service.get_queue_client(f"{name}-poison"))


async def calls(host: Host, function: str, body: str, count: int = 1) -> list[dict[str, Any]]:
    """The calls with this body, once there are as many."""
    found: list[dict[str, Any]] = []

    async def are_there() -> bool:
        found[:] = [one for one in await host.records(function) if one["body"] == body]
        return len(found) >= count

    await eventually(are_there, f"{function} is called {count} times with {body}")
    return found


async def test_the_function_gets_the_message_with_its_metadata(work: Work) -> None:
    sent = await work.queue.send_message(encoded("hello"))
    [call] = await calls(work.host, "work", "hello")
    assert call["id"] == sent.id
    assert call["dequeue_count"] == 1
    assert call["pop_receipt"]
    assert call["dates"][:2] == [str(sent.inserted_on), str(sent.expires_on)]


async def test_a_json_message_can_change_its_own_id(work: Work) -> None:
    body = json.dumps({"ID": "mine"})
    await work.queue.send_message(encoded(body))
    [call] = await calls(work.host, "work", body)
    assert call["id"] == "mine"


async def test_a_date_as_expiration_time_fails_each_try_before_the_function_runs(
    work: Work,
) -> None:
    body = json.dumps({"expirationTime": "2026-01-31T10:00:00Z"})
    sent = await work.queue.send_message(encoded(body))

    async def is_poison() -> bool:
        return f"Message {sent.id} moves to" in work.host.log

    await eventually(is_poison, "it moves to the poison queue")
    assert body not in [one["body"] for one in await work.host.records("work")]


@pytest.mark.parametrize("body", ["fail", "return a value"])
async def test_a_failing_function_is_tried_five_times_then_the_poison_function_is_called(
    work: Work, body: str
) -> None:
    """To return a value without a return binding is a failure, too."""
    await work.queue.send_message(encoded(body))
    await calls(work.host, "poisoned", body)
    tries = await calls(work.host, "work", body)
    assert [one["dequeue_count"] for one in tries] == [1, 2, 3, 4, 5]
    assert await is_empty(work.queue)


async def test_after_a_crash_the_message_comes_back_when_its_lease_runs_out(storage: str) -> None:
    name = unique("crash")
    settings = {"WORK_QUEUE": name, "LOCAL_HOST_QUEUE_LEASE_SECONDS": "2"}
    async with QueueClient.from_connection_string(storage, name) as queue:
        await queue.create_queue()
        await queue.send_message(encoded("crash"))
        with Host(storage, settings) as first:
            assert await first.ended() == 9
        with Host(storage, settings) as second:
            [call] = await calls(second, "work", "crash")
            assert call["dequeue_count"] == 2
            await eventually(lambda: is_empty(queue), "the message is deleted")
