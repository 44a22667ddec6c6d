"""A message kills the functions process each time: the host gives it up, connorg says so."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote_to_bytes

import pytest

from connorg.contract.storage_names import POISON_QUEUE
from tests.end_to_end.client import Connorg, Json, Partner, eventually

MOST_DELIVERIES = 5  # host.json: maxDequeueCount


@asynccontextmanager
async def silent_table() -> AsyncIterator[tuple[asyncio.Event, str]]:
    """A table that has no gate, so that the functions start, and keeps silent of all else.

    The event tells that something else was asked for; the text is the address.
    """
    asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            if b"PartitionKey='gate'" not in unquote_to_bytes(request):
                asked.set()
                return
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    server = await asyncio.start_server(answer, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    try:
        yield asked, f"http://{host}:{port}"
    finally:
        server.close()


async def kill_before_the_lease(connorg: Connorg, deliveries: int) -> None:
    """SIGKILL the functions so often while they hold the message and ask for its onboarding."""
    storage = connorg.stack.storage
    async with silent_table() as (asked, address):
        silent = re.sub("TableEndpoint=[^;]+", f"TableEndpoint={address}", storage)
        for delivery in range(1, deliveries + 1):
            asked.clear()
            settings = {"AzureWebJobsStorage": silent}
            await asyncio.to_thread(connorg.stack.restart, "functions", settings)
            await asked.wait()
            connorg.stack.kill("functions")
            assert await connorg.deliveries() == delivery, "it is the same message"
    connorg.stack.restart("functions", {"AzureWebJobsStorage": storage})


async def kill_after_the_create(connorg: Connorg, partner: Partner) -> None:
    await connorg.graph.create_seen(partner)
    await connorg.crash_when_committed(partner)


@pytest.mark.slow
async def test_a_message_that_kills_five_times_fails_its_onboarding_for_a_replay(
    frail: Connorg,
) -> None:
    partner = Partner()
    await frail.emptied()
    await frail.graph.fail_creates(partner, "delay", seconds=1)
    frail.stack.kill("functions")
    await frail.put(partner.body(reference=partner.domain))
    await kill_before_the_lease(frail, MOST_DELIVERIES - 1)
    await kill_after_the_create(frail, partner)

    async def failed() -> list[Json]:
        return await frail.listed(status="Failed", reference=partner.domain)

    [onboarding] = await eventually(failed, "its onboarding does not fail")
    assert onboarding["lastError"]["code"] == "MessagePoisoned"
    assert "process died" in onboarding["lastError"]["message"]
    assert onboarding["lastError"]["action"]
    assert onboarding["attempts"] == 1
    await frail.emptied()
    await eventually(lambda: is_empty(frail, POISON_QUEUE), "the poison is not dealt with")

    replay = await frail.call("POST", f"onboardings/{onboarding['id']}/retry")
    assert replay.status_code == 202
    replayed = await frail.ended(onboarding["id"])
    assert (replayed["status"], replayed["conclusion"]) == ("Succeeded", "created")
    [organization] = await frail.graph.organizations(partner)
    assert replayed["result"]["id"] == organization["id"]
    assert len(await frail.graph.creates(partner)) == 1, "it is looked up, not created again"


async def is_empty(connorg: Connorg, queue: str) -> bool:
    return await connorg.messages(queue) == 0
