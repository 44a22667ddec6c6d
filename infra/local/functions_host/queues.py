"""The queue pumps of an app: which storage, which queues, and which pump to wake for poison."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from azure.storage.queue.aio import QueueServiceClient

from infra.local.functions_host.definition import (
    Function,
    FunctionInErrorError,
    resolve_settings,
)
from infra.local.functions_host.host_json import QueueOptions
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.queue_pump import LEASE_SECONDS, QueuePump
from infra.local.functions_host.storage_calls import FIRST_WAIT_SECONDS, Repeater

DEFAULT_CONNECTION = "AzureWebJobsStorage"
POISON_SUFFIX = "-poison"
LONGEST_NAME = 63
QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


class Pumps(list[QueuePump]):
    """The pumps of an app. For tests, LOCAL_HOST_QUEUE_LEASE_SECONDS shortens the time that a
    message is hidden, and LOCAL_HOST_STORAGE_WAIT_SECONDS the first wait of a call's repeats.
    """

    def __init__(
        self,
        options: QueueOptions,
        invoker: Invoker,
        environment: Mapping[str, str],
        fail: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._options = options
        self._invoker = invoker
        self._environment = environment
        self._fail = fail

    def add(self, function: Function) -> None:
        """Make the pump of a queue function. Raise FunctionInErrorError."""
        name = _queue_name(function, self._environment)
        service = _service(function, self._environment)
        has_poison = not name.endswith(POISON_SUFFIX) and len(name + POISON_SUFFIX) <= LONGEST_NAME
        lease = self._environment.get("LOCAL_HOST_QUEUE_LEASE_SECONDS", LEASE_SECONDS)
        wait = self._environment.get("LOCAL_HOST_STORAGE_WAIT_SECONDS", FIRST_WAIT_SECONDS)
        self.append(
            QueuePump(
                service.get_queue_client(name),
                service.get_queue_client(name + POISON_SUFFIX) if has_poison else None,
                self._options,
                partial(self._invoker.run, function),
                int(lease),
                self._wake,
                self._fail,
                Repeater(float(wait)),
            )
        )

    def _wake(self, queue: str) -> None:
        for pump in self:
            if pump.queue.queue_name == queue:
                pump.wake()


def _queue_name(function: Function, environment: Mapping[str, str]) -> str:
    name = resolve_settings(str(function.trigger.get("queueName", "")), environment).lower()
    if not QUEUE_NAME.fullmatch(name):
        raise FunctionInErrorError(f"'{name}' is no name of a queue")
    return name


def _service(function: Function, environment: Mapping[str, str]) -> QueueServiceClient:
    """The storage of the trigger's `connection`: the app setting AzureWebJobs<name>, or <name>.

    Differs: the real host takes an identity too (settings <name>__queueServiceUri and so on).
    """
    connection = str(function.trigger.get("connection") or DEFAULT_CONNECTION)
    text = environment.get(f"AzureWebJobs{connection}") or environment.get(connection)
    if not text:
        raise FunctionInErrorError(
            f"it needs the app setting '{connection}', the connection string of its storage, "
            "which is not set"
        )
    try:
        # The pump repeats calls itself, as the SDK for .NET does.
        return QueueServiceClient.from_connection_string(text, retry_total=0)
    except ValueError as fault:
        raise FunctionInErrorError(
            f"the app setting '{connection}' is no connection string: {fault}"
        ) from None
