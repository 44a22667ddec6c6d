"""Queues and tables, whatever they hold: is one there, and how much does a queue hold?

As the service says: hidden messages count too, whatever their text.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from azure.storage.queue.aio import QueueClient

from connorg.core.ports import Backlog, StorageUnavailableError
from connorg.storage.connection import queue, table
from connorg.storage.queues import AzureRetryQueue
from connorg.storage.tables import AzureTable

NOWHERE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a;"
)
SECOND = timedelta(seconds=1)  # the service tells whole ones


@pytest.fixture
async def client(storage: str) -> AsyncIterator[QueueClient]:
    async with queue(f"backlog-{uuid4().hex[:12]}", storage, None, None) as client:
        yield client


async def test_a_queue_is_there_once_it_was_made(client: QueueClient) -> None:
    assert not await AzureRetryQueue(client).is_there()
    await client.create_queue()
    assert await AzureRetryQueue(client).is_there()


async def test_a_table_is_there_once_it_was_made_though_it_is_empty(storage: str) -> None:
    async with table(f"parts{uuid4().hex[:12]}", storage, None, None) as client:
        assert not await AzureTable(client).is_there()
        await client.create_table()
        assert await AzureTable(client).is_there()


async def test_where_there_is_no_queue_nothing_waits(client: QueueClient) -> None:
    assert await AzureRetryQueue(client).backlog() == Backlog(0, None)


async def test_hidden_messages_count_and_are_not_overdue(client: QueueClient) -> None:
    await client.create_queue()
    for _ in range(3):
        await client.send_message("hidden", visibility_timeout=600)
    assert await AzureRetryQueue(client).backlog() == Backlog(3, None)


async def test_the_oldest_of_those_that_are_due_is_told(storage: str, client: QueueClient) -> None:
    """Whoever put it may have sent plain text, which is no Base64."""
    await client.create_queue()
    before = datetime.now(UTC)
    plain = QueueClient.from_connection_string(storage, client.queue_name)
    async with plain:
        first = await plain.send_message('{"not": "Base64"}')
    await client.send_message("later")
    backlog = await AzureRetryQueue(client).backlog()
    assert backlog.messages == 2
    assert backlog.overdue_since == first.inserted_on
    assert backlog.overdue_since is not None
    assert before - SECOND <= backlog.overdue_since <= datetime.now(UTC)


async def test_storage_that_does_not_answer_is_told() -> None:
    async with queue("q", NOWHERE, None, None) as client:
        with pytest.raises(StorageUnavailableError):
            await AzureRetryQueue(client).backlog()
        with pytest.raises(StorageUnavailableError):
            await AzureRetryQueue(client).is_there()
    async with table("t", NOWHERE, None, None) as client:
        with pytest.raises(StorageUnavailableError):
            await AzureTable(client).is_there()
