"""How the ledger and the queue are reached: by identity in Azure, by connection string elsewhere.

Both clients give up soon: an onboarding is retried by its message, a caller by a 503.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies_environment

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from connorg.core.ports import StorageUnavailableError
from connorg.storage.transactions import FastTable

_PATIENCE: dict[str, Any] = {"connection_timeout": 3, "read_timeout": 10}
_TABLE_RETRIES: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.3}
_QUEUE_RETRIES: dict[str, Any] = {
    "retry_total": 1,
    "initial_backoff": 1,
    "increment_base": 0,
    "random_jitter_range": 0,
}
# Messages are Base64 by the custom of Azure Functions; the SDK sends plain text by default.
# None is decoded: that is for the queue trigger, and somebody may have put what is no Base64.
_QUEUE_ENCODING: dict[str, Any] = {"message_encode_policy": TextBase64EncodePolicy()}


def table(
    name: str,
    connection_string: str | None,
    endpoint: str | None,
    credential: AsyncTokenCredential | None,
) -> TableClient:
    options = _TABLE_RETRIES | {"transport": _transport()}
    if connection_string is not None:
        return FastTable.from_connection_string(connection_string, name, **options)
    return FastTable(endpoint or "", name, credential=credential, **options)


def queue(
    name: str,
    connection_string: str | None,
    endpoint: str | None,
    credential: AsyncTokenCredential | None,
) -> QueueClient:
    options = _QUEUE_RETRIES | _QUEUE_ENCODING | {"transport": _transport()}
    if connection_string is not None:
        return QueueClient.from_connection_string(connection_string, name, **options)
    return QueueClient(endpoint or "", name, credential=credential, **options)


def _transport() -> AioHttpTransport:
    """Make the transport that the SDK would, but without a look into ~/.netrc for each call.

    aiohttp does that in a thread wherever the environment may name a proxy: about half a
    millisecond of CPU for each call.
    """
    return AioHttpTransport(**_PATIENCE, use_env_settings=bool(getproxies_environment()))


@asynccontextmanager
async def storage_errors() -> AsyncIterator[None]:
    """Turn "no answer" and "not allowed" into StorageUnavailableError; answers stay errors."""
    try:
        yield
    except (ServiceRequestError, ServiceResponseError, DecodeError) as error:
        # A DecodeError is an answer that is cut off or that nobody can read.
        raise StorageUnavailableError("storage did not answer") from error
    except ClientAuthenticationError as error:
        raise StorageUnavailableError("storage refused the app") from error
    except HttpResponseError as error:
        status = error.status_code or 0
        if status in {403, 408, 429} or status >= 500:  # noqa: PLR2004  the server errors
            raise StorageUnavailableError(f"storage answered {status}") from error
        raise
