"""How much a queue holds, as the service says: hidden messages too, whatever their text."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from azure.storage.queue.aio import QueueClient

from connorg.core.ports import StorageUnavailableError
from connorg.storage.backlog import Backlog, backlog_of
from connorg.storage.connection import queue

NOWHERE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "QueueEndpoint=http://127.0.0.1:9/a;"
)
SECOND = timedelta(seconds=1)  # the service tells whole ones


@pytest.fixture
async def client(storage: str) -> AsyncIterator[QueueClient]:
    async with queue(f"backlog-{uuid4().hex[:12]}", storage, None, None) as client:
        yield client


async def test_where_there_is_no_queue_nothing_waits(client: QueueClient) -> None:
    assert await backlog_of(client) == Backlog(0, None)


async def test_hidden_messages_count_and_are_not_overdue(client: QueueClient) -> None:
    await client.create_queue()
    for _ in range(3):
        await client.send_message("hidden", visibility_timeout=600)
    assert await backlog_of(client) == Backlog(3, None)


async def test_the_oldest_of_those_that_are_due_is_told(storage: str, client: QueueClient) -> None:
    """Whoever put it may have sent plain text, which is no Base64."""
    await client.create_queue()
    before = datetime.now(UTC)
    plain = QueueClient.from_connection_string(storage, client.queue_name)
    async with plain:
        first = await plain.send_message('{"not": "Base64"}')
    await client.send_message("later")
    backlog = await backlog_of(client)
    assert backlog.messages == 2
    assert backlog.overdue_since == first.inserted_on
    assert backlog.overdue_since is not None
    assert before - SECOND <= backlog.overdue_since <= datetime.now(UTC)


async def test_storage_that_does_not_answer_is_told() -> None:
    async with queue("q", NOWHERE, None, None) as client:
        with pytest.raises(StorageUnavailableError):
            await backlog_of(client)
