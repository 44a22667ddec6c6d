"""What a function gets for a message, and how often it is called, is as recorded."""

import ast
import asyncio
import json
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from infra.local.functions_host.host_json import QueueOptions, time_span
from infra.local.functions_host.polling import PollingBackoff
from infra.local.functions_host.queue_message import Received, call
from infra.local.functions_host.queue_pump import QueuePump
from infra.local.functions_host.worker import Call, Json, Result
from tests.cases import each
from tests.contract import queue_replay
from tests.contract.functions_host import encoded, eventually, is_empty
from tests.contract.functions_host_replay import RECORDED

MESSAGES = [
    message
    for file in ("h-queue.json", "g-queue.json")
    for message in json.loads((RECORDED / file).read_text())
]
# They have options of their own, or features that this host refuses.
OWN_OPTIONS = (
    "maxDequeueCount 3",
    "maxDequeueCount 1",
    "Encoding none",
    "-poison",
    "retry",
    "Timeout 3",
)
FAILING = {"act=exc", "act=h500", "act=plain", "act=reset"}
# Still tried when its case was closed.
UNFINISHED = "abcd"
STANDARD = {"id", "popreceipt", "insertiontime", "expirationtime", "nextvisibletime"}
WEEK = timedelta(days=7)
NOW = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)


def content(message: dict[str, Any]) -> str | bytes:
    text: str = message["message"]
    return ast.literal_eval(text) if text.startswith("b'") else text


def recorded_metadata(message: dict[str, Any]) -> dict[str, str | Json]:
    """As a worker gets it. The recordings' custom handler got each text as JSON in a text."""
    if message.get("metadata"):
        return {
            name: Json(value["json"]) if "json" in value else value["string"]
            for name, value in message["metadata"].items()
        }
    found: dict[str, str | Json] = {}
    for name, value in (message.get("handler") or {}).items():
        if isinstance(value, str) and value.startswith('"'):
            found[name] = json.loads(value)
        else:
            found[name] = Json(value if isinstance(value, str) else json.dumps(value))
    return found


def test_metadata_is_as_recorded() -> None:
    for case in each(MESSAGES):
        with case as message:
            text = content(message)
            recorded = recorded_metadata(message)
            if isinstance(text, bytes) or not recorded:
                continue
            given = "aGVsbG8=" if message["name"].endswith("none, Base64 text") else text
            ours = call(Received("id", "…", "receipt", 1, NOW, NOW + WEEK, NOW), given).metadata
            own = replaced_in(given)
            compared = [
                name
                for name in recorded
                if name != "RetryContext" and (name.lower() in own or name.lower() not in STANDARD)
            ]
            assert {name: plain(ours[name]) for name in compared} == {
                name: plain(recorded[name]) for name in compared
            }


def replaced_in(text: str) -> set[str]:
    """The names, in lower case, at the top of a JSON object that have a value."""
    try:
        values = json.loads(text)
    except ValueError:
        return set()
    named = values.items() if isinstance(values, dict) else ()
    return {name.lower() for name, value in named if value is not None}


def plain(value: str | Json) -> object:
    return json.loads(value.text) if isinstance(value, Json) else value


async def test_each_message_is_called_and_poisoned_as_often_as_recorded(storage: str) -> None:
    ordinary = [one for one in MESSAGES if not any(word in one["name"] for word in OWN_OPTIONS)]
    calls: Counter[str] = Counter()

    async def function(given: Call) -> Result:
        calls[str(given.input)] += 1
        return Result(ok=given.input not in FAILING)

    async with QueueServiceClient.from_connection_string(storage) as service:
        name = f"m{uuid.uuid4().hex}"
        queue, poison = service.get_queue_client(name), service.get_queue_client(f"{name}-poison")
        await queue.create_queue()
        expected: Counter[str] = Counter()
        texts = []
        for message in ordinary:
            text = content(message)
            if isinstance(text, str) and not text.endswith("characters)"):
                expected[text] += message["calls"]
                texts.append(encoded(text) if message["base64"] else text)
        for text in texts:
            await queue.send_message(text)
        pump = QueuePump(
            queue, poison, QueueOptions(max_polling_interval=0.1), function, 600, ignore, ignore
        )
        running = asyncio.create_task(pump.run())
        await eventually(lambda: is_empty(queue), "all are handled")
        running.cancel()
        assert calls == +expected
        moved = Counter([message async for message in poisoned(poison)])
        recorded = Counter(
            text if text != "act=exc" else encoded(text)
            for one in ordinary
            if isinstance(content(one), str)
            for text in one["poison"]
        )
        assert moved == recorded + Counter([UNFINISHED])


def ignore(_: str) -> None:
    """Nothing listens to the poison queue, and nothing fails."""


async def poisoned(queue: QueueClient) -> Any:
    try:
        async for message in queue.receive_messages(messages_per_page=32):
            yield message.content
    except ResourceNotFoundError:
        return


# Polling


@pytest.mark.parametrize(
    "run",
    json.loads((queue_replay.RECORDED / "c_polling.json").read_text()),
    ids=lambda run: run["setting"],
)
def test_waits_are_within_the_spread_of_those_recorded(run: dict[str, Any]) -> None:
    longest = time_span(run["options"]["maxPollingInterval"]) or 0
    bounds = [PollingBackoff(longest, spread=lambda edge=edge: edge) for edge in (0.8, 1.2)]  # type: ignore[misc]
    found_message = False
    previous = 0.0
    for wait in run["waits_logged_ms"]:
        found_message = bool(wait < previous)
        least, most = (one.next_wait(found_message=found_message) * 1000 for one in bounds)
        assert min(least, most) - 20 <= wait <= max(least, most) + 20
        previous = wait


# How many at once


@pytest.mark.slow
@pytest.mark.parametrize(
    "run",
    json.loads((queue_replay.RECORDED / "b_batches.json").read_text()),
    ids=lambda run: run["setting"],
)
async def test_batches_are_fetched_as_recorded(storage: str, run: dict[str, Any]) -> None:
    if any(word in run["setting"] for word in ("second one put", "block their", "1 core")):
        pytest.skip("a message comes when another runs, a thread is blocked, or one core is slow")
    played = await queue_replay.play_batches(run, storage)
    assert [len(one.messages) for one in played.noted if one.messages] == [
        one["got"] for one in run["gets"] if one["got"]
    ]
    assert played.peak == run["peak_running"]
