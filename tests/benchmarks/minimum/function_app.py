"""The durable minimum: what no design can go without that keeps "exactly once" in Azure Storage.

    a message, which outlives a crash ─► a claim, by insert ─► Graph ─► the conclusion, by ETag
        ─► the answer ─► the message is deleted

The calls by themselves, around the call of the obvious function: nothing is retried, nobody shares
a gate, what comes back is not looked up. docs/performance.md says why there can't be fewer.
"""

import asyncio
import hashlib
import os
from contextlib import suppress
from functools import cache

import azure.functions as func
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from tests.benchmarks.obvious.function_app import client, create, credential, root

__all__ = ["app", "client", "credential", "root"]  # stages.py asks for them

_HIDDEN = 25  # seconds: longer than a caller waits
_NEVER = -1  # time to live: what is still to do must not expire

app = func.FunctionApp()
_storage = os.environ["AzureWebJobsStorage"]  # noqa: SIM112  the name that Azure gives it
# Without a look into ~/.netrc for each call, as connorg does it.
_claims = TableClient.from_connection_string(
    _storage, "minimum", transport=AioHttpTransport(use_env_settings=False)
)
_messages = QueueClient.from_connection_string(
    _storage, "minimum", transport=AioHttpTransport(use_env_settings=False)
)
_deletes: set[asyncio.Task[None]] = set()


@app.route("connected-organizations", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def connect(req: func.HttpRequest) -> func.HttpResponse:
    await _made()
    asked = req.get_json()
    text = req.get_body().decode()
    message = await _messages.send_message(text, visibility_timeout=_HIDDEN, time_to_live=_NEVER)
    name = hashlib.sha256(asked["identitySources"][0]["domainName"].encode()).hexdigest()
    claim = {"PartitionKey": name, "RowKey": "claim", "Status": "Running", "Request": text}
    written = await _claims.create_entity(claim)
    organization = await create(asked)
    await _claims.update_entity(
        {**claim, "Status": "Succeeded", "Organization": organization},
        mode=UpdateMode.REPLACE,
        etag=written["etag"],
        match_condition=MatchConditions.IfNotModified,
    )
    deleting = asyncio.create_task(_delete(message))
    _deletes.add(deleting)
    deleting.add_done_callback(_deletes.discard)
    return func.HttpResponse(organization, status_code=201)


async def _delete(message: QueueMessage) -> None:
    await _messages.delete_message(message)


@cache
def _made() -> asyncio.Task[None]:
    """The table and the queue, which on Azure the deployment made."""

    async def make() -> None:
        for create_it in (_claims.create_table, _messages.create_queue):
            with suppress(ResourceExistsError):
                await create_it()

    return asyncio.create_task(make())
