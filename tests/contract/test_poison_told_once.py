"""A poison message that can't be dealt with is told once, and stays."""

import asyncio
import json
import logging
import uuid

import azure.functions as func
import pytest
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.storage.queue.aio import QueueClient

from connorg.core.ports import StorageUnavailableError, SupersededError
from connorg.functions.queues import envelope
from connorg.storage.queues import AzureRetryQueue
from infra.local.functions_host.host_json import QueueOptions
from infra.local.functions_host.queue_pump import QueuePump
from infra.local.functions_host.worker import Call, Json, Result
from tests.contract.functions_host import eventually


def message_of(call: Call, tries: int) -> func.QueueMessage:
    return in_hand(str(call.metadata["Id"]), str(call.metadata["PopReceipt"]), tries)


def in_hand(message_id: str, receipt: str, tries: int = 1) -> func.QueueMessage:
    """A message as the worker makes it."""
    fields = {"Id": message_id, "PopReceipt": receipt, "DequeueCount": tries}
    metadata = {name: Datum(json.dumps(value), "json") for name, value in fields.items()}
    decoded: func.QueueMessage = QueueMessageInConverter.decode(
        Datum("{}", "string"), trigger_metadata=metadata
    )
    return decoded


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ((RuntimeError("the ledger can't be read"), 1), logging.ERROR),
        ((RuntimeError("the ledger can't be read"), 2), logging.INFO),
        ((SupersededError("an attempt is running"), 1), logging.INFO),
    ],
)
async def test_poison_that_fails_succeeds_for_the_host_and_stays_hidden(
    storage: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: tuple[Exception, int],
    told: int,
) -> None:
    fault, tries = case
    caplog.set_level(logging.INFO)
    name = f"told-{uuid.uuid4().hex[:8]}"
    results: list[bool] = []
    async with QueueClient.from_connection_string(storage, f"{name}-poison") as queue:
        await queue.create_queue()
        await queue.send_message("{}")
        monkeypatch.setattr(envelope, "message_queue", lambda _: AzureRetryQueue(queue))

        async def function(call: Call) -> Result:
            assert call.metadata["DequeueCount"] == Json("1")
            async with envelope.telling_once(name, message_of(call, tries)):
                raise fault
            results.append(True)
            return Result(ok=True)

        options = QueueOptions(max_polling_interval=0.1, is_base64=False)
        failures: list[str] = []
        pump = QueuePump(queue, None, options, function, 600, lambda _: None, fail=failures.append)
        running = asyncio.create_task(pump.run())

        async def is_done() -> bool:
            return bool(results)

        await eventually(is_done, "the function succeeds")
        await pump.stop()
        await running
        assert failures == []
        assert (await queue.get_queue_properties()).approximate_message_count == 1
        assert await queue.peek_messages() == []
    levels = [one.levelno for one in caplog.records if one.name == envelope.__name__]
    assert levels == [told]


async def test_where_storage_is_away_the_function_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> AzureRetryQueue:
        raise StorageUnavailableError

    monkeypatch.setattr(envelope, "message_queue", away)
    with pytest.raises(StorageUnavailableError):
        async with envelope.telling_once("any", in_hand("1", "2")):
            raise RuntimeError("the ledger can't be read")
