"""The queue pumps of an app: which storage, which queues, and which pump to wake for poison."""

import os
from collections.abc import Iterable
from functools import partial
from typing import Any

from azure.storage.queue.aio import QueueServiceClient

from infra.local.functions_host.definition import (
    QUEUE,
    CannotStartError,
    Function,
    resolve_settings,
)
from infra.local.functions_host.host_json import QueueOptions
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.queue_pump import LEASE_SECONDS, QueuePump

DEFAULT_CONNECTION = "AzureWebJobsStorage"
POISON_SUFFIX = "-poison"
# A few seconds: the pump itself tries on for as long as it takes.
RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 1,
    "increment_base": 1,
    "random_jitter_range": 0,
}


def create_pumps(
    functions: Iterable[Function], options: QueueOptions, invoker: Invoker
) -> list[QueuePump]:
    """One pump for each queue function.

    For tests, LOCAL_HOST_QUEUE_LEASE_SECONDS shortens the time that a message is hidden.
    Raises CannotStartError for a setting that is missing or is not a connection string.
    """
    lease_seconds = int(os.environ.get("LOCAL_HOST_QUEUE_LEASE_SECONDS", LEASE_SECONDS))
    pumps: list[QueuePump] = []

    def wake(queue: str) -> None:
        for pump in pumps:
            if pump.queue.queue_name == queue:
                pump.wake()

    for function in functions:
        if function.kind == QUEUE:
            service = _service(function)
            name = resolve_settings(str(function.trigger["queueName"]), function).lower()
            queue = service.get_queue_client(name)
            is_poison = name.endswith(POISON_SUFFIX)
            poison = None if is_poison else service.get_queue_client(name + POISON_SUFFIX)
            run = partial(invoker.run, function)
            pumps.append(QueuePump(queue, poison, options, run, lease_seconds, wake))
    return pumps


def _service(function: Function) -> QueueServiceClient:
    """The storage of the trigger's `connection`: the app setting AzureWebJobs<name>, or <name>.

    Differs: the real host takes an identity too (settings <name>__queueServiceUri and so on).
    """
    connection = str(function.trigger.get("connection") or DEFAULT_CONNECTION)
    text = os.environ.get(f"AzureWebJobs{connection}") or os.environ.get(connection)
    if not text:
        raise CannotStartError(
            f"The function '{function.name}' needs the app setting '{connection}', the connection "
            "string of its storage; the setting is not set."
        )
    try:
        return QueueServiceClient.from_connection_string(text, **RETRIES)
    except ValueError as fault:
        raise CannotStartError(
            f"The app setting '{connection}' is not a connection string: {fault}"
        ) from None
