"""Microsoft's worker library, and the only place that knows it.

The library is spoken to as its own front on Azure does since Python 3.13: it indexes the app on
`worker_init_request`, and invocations go through `native_invocation`, which takes and returns
`Datum`s instead of protocol buffers.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from infra.local.functions_host.definition import CannotStartError, Declaration, Function

TEXT = "text/plain; charset=utf-8"


class _Messages:
    """Stands in for the module of protocol buffers: the worker builds its answers from it."""

    class BindingInfo(SimpleNamespace):
        undefined, string, binary, stream = range(4)
        # Names and numbers of the Functions RPC protocol, for the direction of a binding.
        out, inout = 1, 2

    class StatusResult(SimpleNamespace):
        Failure, Success = range(2)

    RpcFunctionMetadata = RpcException = RpcRetryOptions = SimpleNamespace
    WorkerInitResponse = FunctionMetadataResponse = WorkerMetadata = SimpleNamespace


@dataclass(frozen=True)
class HttpRequest:
    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpAnswer:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[SimpleCookie, ...] = ()


@dataclass(frozen=True)
class Json:
    text: str


@dataclass(frozen=True)
class Call:
    """What one invocation is given. Metadata is text, or JSON where `Json` says so."""

    input: HttpRequest | str | bytes | Json
    metadata: Mapping[str, str | Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    ok: bool
    answer: HttpAnswer | None = None
    error: str = ""


async def index(app: Path) -> list[Declaration]:
    """Import the app and list its functions, inside the running loop, as on Azure.

    Raise CannotStartError when the worker cannot index it, or finds no function.
    """
    sys.path.insert(0, str(app))
    os.chdir(app)
    # The worker logs a traceback of its own for each failure; the invoker's line has it.
    logging.getLogger("azure.functions").addFilter(lambda line: line.module != "native_invocation")
    runtime.start_threadpool_executor()
    start = SimpleNamespace(
        request=SimpleNamespace(
            worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app))
        ),
        properties={"host": "127.0.0.1", "protos": _Messages},
    )
    response = await runtime.worker_init_request(start)
    if response.result.status == _Messages.StatusResult.Failure:
        failure = response.result.exception
        print(failure.stack_trace, file=sys.stderr)  # noqa: T201
        raise CannotStartError(f"The app in {app} cannot be indexed: {failure.message}")
    listing = await runtime.functions_metadata_request(None)
    functions = [_declaration(metadata) for metadata in listing.function_metadata_results or ()]
    if not functions:
        raise CannotStartError(f"The app in {app} has no function: no function_app.py, or no route")
    return functions


async def invoke(function: Function, call: Call, invocation_id: str, traceparent: str) -> Result:
    """Run the function. Whatever it raises comes back in the result."""
    ok, answer, _, error, trace = await invocation_request_native(
        invocation_id,
        function.id,
        [(function.parameter, _datum(call.input))],
        {name: _datum(value) for name, value in call.metadata.items()},
        trace_parent=traceparent,
    )
    return Result(ok, _http_answer(answer) if answer else None, (trace or error or "").rstrip())


def _declaration(metadata: Any) -> Declaration:
    if metadata.retry_options:
        raise CannotStartError(
            f"The function '{metadata.name}' has a retry policy, which this local host does not "
            "know. With a queue trigger it would run before any dequeue is counted."
        )
    bindings = tuple(json.loads(binding) for binding in metadata.raw_bindings)
    return Declaration(metadata.name, metadata.function_id, bindings)


def _datum(value: HttpRequest | str | bytes | Json) -> Datum:
    match value:
        case HttpRequest():
            return Datum(_http_fields(value), "http")
        case Json(text):
            return Datum(text, "json")
        case bytes():
            return Datum(value, "bytes")
        case _:
            return Datum(value, "string")


def _http_fields(request: HttpRequest) -> dict[str, Any]:
    return {
        "method": _datum(request.method),
        "url": _datum(request.url),
        "headers": _datums(request.headers),
        "query": _datums(request.query),
        "params": _datums(request.route),
        "body": _datum(request.body),
    }


def _datums(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: _datum(value) for name, value in values.items()}


def _http_answer(datum: Datum) -> HttpAnswer:
    """The answer of an HTTP function: an HttpResponse, or plain text.

    Differs: the real host looks into returned text for JSON that describes a response.
    """
    if datum.type != "http":
        return HttpAnswer(datum.value.encode(), headers={"content-type": TEXT})
    fields = datum.value
    return HttpAnswer(
        body=fields["body"].value,
        status=int(fields["status_code"].value),
        headers={name: value.value for name, value in fields["headers"].items()},
        cookies=tuple(fields["cookies"] or ()),
    )
