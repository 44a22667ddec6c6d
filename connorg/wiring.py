"""Puts the parts together, once per process and not before they are needed.

The only module that knows every other. SDKs are imported inside the functions: an import costs
cold start, and the answer to a wrong request needs none of them.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from random import SystemRandom
from typing import TYPE_CHECKING

from connorg.contract.storage_names import (
    BATCH_QUEUE,
    BATCHES_TABLE,
    CALLBACK_QUEUE,
    LEDGER_TABLE,
    ONBOARDING_QUEUE,
    QUEUES,
    TABLES,
)
from connorg.core.domain.timing import Timing
from connorg.core.ports import MessageQueue, StoragePart, TokenUnavailableError
from connorg.core.services import Callbacks, Services
from connorg.core.throttle.throttle import Throttle
from connorg.settings import callback_keys, settings, storage_settings, telemetry

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables.aio import TableClient
    from msgraph.graph_service_client import GraphServiceClient

    from connorg.entra_tokens import EntraTokens
    from connorg.graph.admin import GraphOrganizationAdmin
    from connorg.graph.gateway import GraphOrganizationGateway
    from connorg.graph.sender import Sender
    from connorg.storage.queues import AzureRetryQueue
    from connorg.webhooks.senders import Senders


# Tokens under way without a waiter; the event loop itself keeps only weak references.
_meanwhile: set[asyncio.Task[None]] = set()


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@cache
def services() -> Services:
    """Return the services, with clients that live as long as the process.

    Raise ConfigurationError.
    """
    _export_telemetry()
    from connorg.storage.batches import AzureBatches  # noqa: PLC0415
    from connorg.storage.gate import AzureGateStore  # noqa: PLC0415
    from connorg.storage.ledger import AzureLedger  # noqa: PLC0415
    from connorg.storage.queues import AzureRetryQueues  # noqa: PLC0415

    # The SDKs log each request at INFO; a request's address holds domains and ids.
    for chatty in ("azure", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    config = settings()
    _get_token_meanwhile()
    clock, random, timing = SystemClock(), SystemRandom(), _timing()
    made = Services(
        gateway=gateway(),
        ledger=AzureLedger(_table(LEDGER_TABLE)),
        batches=AzureBatches(_table(BATCHES_TABLE)),
        queue=AzureRetryQueues(onboardings=_queue(ONBOARDING_QUEUE), rows=_queue(BATCH_QUEUE)),
        throttle=Throttle(
            AzureGateStore(_table(LEDGER_TABLE)),
            clock,
            random,
            timing,
            calls=2 if config.tenant_lookup else 1,  # the create, and the lookup before it
        ),
        clock=clock,
        random=random,
        timing=timing,
        policy=config.policy(),
        callbacks=_callbacks(),
        tenant_lookup=config.tenant_lookup,
    )
    # All that is imported by now stays. Walking through it stopped the process for a tenth of a
    # second now and then: calls to Graph then bunched, and it complained.
    gc.freeze()
    return made


def _timing() -> Timing:
    config = settings()
    return Timing(
        attempt_limit=config.attempt_seconds,
        settle=config.settle_seconds,
        blocked_retry=config.blocked_retry_seconds,
        give_up=config.give_up_hours * 60 * 60,
        retention=config.retention_days * 24 * 60 * 60,
        callback_retry=config.callback_retry_seconds,
    )


@cache
def _export_telemetry() -> None:
    """Send what the core reports of its work where the app settings say, if anywhere."""
    if telemetry().is_exported:
        from connorg.telemetry.export.exporters import start  # noqa: PLC0415

        start(telemetry())


def _callbacks() -> Callbacks:
    from connorg.callback_receiver import HttpReceiver  # noqa: PLC0415

    return Callbacks(
        queue=_queue(CALLBACK_QUEUE),
        receiver=HttpReceiver(settings().called_hosts),
        keys=callback_keys(),
    )


@cache
def gateway() -> "GraphOrganizationGateway":
    from connorg.graph.gateway import GraphOrganizationGateway  # noqa: PLC0415

    client, sender = _graph()
    config = settings()
    return GraphOrganizationGateway(client, sender, f"{config.graph_root}/{config.graph_version}")


@cache
def admin() -> "GraphOrganizationAdmin":
    from connorg.graph.admin import GraphOrganizationAdmin  # noqa: PLC0415

    client, sender = _graph()
    config = settings()
    return GraphOrganizationAdmin(client, sender, config.graph_root, config.graph_version)


@cache
def _graph() -> "tuple[GraphServiceClient, Sender]":
    from connorg.graph.client import graph_client  # noqa: PLC0415
    from connorg.graph.sender import Sender  # noqa: PLC0415

    config = settings()
    client, adapter = graph_client(
        credential(), config.graph_root, config.graph_version, config.attempt_seconds
    )
    return client, Sender(adapter, SystemClock())


@cache
def entra_tokens() -> "EntraTokens | None":
    """Return what verifies bearer tokens; None: no tenant is named. Raise ConfigurationError."""
    config = settings()
    if config.entra_tenant is None:
        return None
    from connorg.entra_tokens import EntraTokens, Trust  # noqa: PLC0415

    issuers = config.cloud.issuers(config.entra_tenant)
    trust = Trust(config.entra_tenant, config.entra_audiences, issuers, config.sign_in)
    return EntraTokens(trust)


@cache
def webhook_senders() -> "Senders":
    """Return the declared senders of webhooks. Raise ConfigurationError."""
    from connorg.webhooks.senders import load  # noqa: PLC0415

    return load(settings().webhook_senders)


def message_queue(name: str) -> MessageQueue:
    """Return one of the app's queues. Raise ConfigurationError."""
    return _queue(name)


def storage_parts() -> Mapping[str, StoragePart]:
    """Return each queue and table of the app by what people call it. Raise ConfigurationError."""
    from connorg.storage.tables import AzureTable  # noqa: PLC0415

    queues: dict[str, StoragePart] = {f"queue {name}": _queue(name) for name in QUEUES}
    return queues | {f"table {name}": AzureTable(_table(name)) for name in TABLES}


@cache
def _table(name: str) -> "TableClient":
    from connorg.storage import connection  # noqa: PLC0415

    return _reach_storage(partial(connection.table, name), storage_settings().table_endpoint)


@cache
def _queue(name: str) -> "AzureRetryQueue":
    from connorg.storage import connection  # noqa: PLC0415
    from connorg.storage.queues import AzureRetryQueue  # noqa: PLC0415

    client = _reach_storage(partial(connection.queue, name), storage_settings().queue_endpoint)
    return AzureRetryQueue(client)


def _reach_storage[Client](
    make: "Callable[[str | None, str | None, AsyncTokenCredential | None], Client]",
    endpoint: Callable[[], str],
) -> Client:
    connection_string = storage_settings().storage_connection_string
    if connection_string is not None:
        return make(connection_string, None, None)
    return make(None, endpoint(), credential())


@cache
def credential() -> "AsyncTokenCredential":
    """Return the app's identity: managed in Azure, the Azure CLI's user on a laptop."""
    from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential  # noqa: PLC0415

    if storage_settings().credential == "azure_cli":
        return AzureCliCredential()
    # One quick retry: an attempt that gets no token is retried by its message.
    return ManagedIdentityCredential(
        client_id=storage_settings().client_id, retry_total=1, retry_backoff_factor=0.5
    )


def _get_token_meanwhile() -> None:
    """Fetch the token while the first request arms storage, which asks nothing of Graph.

    Where a warm-up ran it is there already. Crash safety is untouched: Graph is not called, and the
    first call still comes after the ledger has the attempt; without a token it gets one itself.
    """
    with suppress(RuntimeError):  # no event loop: a command, which is in no hurry
        asyncio.get_running_loop()
        task = asyncio.create_task(_try_for_token())
        _meanwhile.add(task)
        task.add_done_callback(_meanwhile.discard)


async def _try_for_token() -> None:
    with suppress(Exception):  # the attempt meets it again; asyncio would log it with its text
        await token_for_graph()


async def token_for_graph() -> str:
    """Get a token, to see whether there is one, what it carries, and to have it ready.

    Raise TokenUnavailableError.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    scope = f"{settings().graph_root}/.default"
    try:
        return (await credential().get_token(scope, enable_cae=True)).token
    except AzureError as error:
        raise TokenUnavailableError("the identity returned no token for Microsoft Graph") from error
