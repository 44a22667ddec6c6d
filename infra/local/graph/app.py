"""The emulator as a web application: from the connection to the call, and what cuts between."""

import asyncio
import contextlib
import json
import socket
import struct
from typing import Any

from aiohttp import web

from infra.local.graph import control
from infra.local.graph.batch import respond_to_batch
from infra.local.graph.calls import Answer, Call, correlation
from infra.local.graph.faults import Rule
from infra.local.graph.routes import respond
from infra.local.graph.state import EMULATOR, Emulator, LoggedRequest, State

_LARGEST_BODY = 4 * 1024 * 1024  # "Known issues with Microsoft Graph": 4 MB a request
_VERSIONS = {"v1.0", "beta"}
_NO_LINGER = struct.pack("ii", 1, 0)


def create_app() -> web.Application:
    app = web.Application(client_max_size=_LARGEST_BODY)
    app[EMULATOR] = Emulator()
    app.on_shutdown.append(_release)
    control.add_routes(app)
    app.router.add_route("*", "/{path:.*}", _graph)
    return app


async def _release(app: web.Application) -> None:
    app[EMULATOR].state.over.set()


async def _graph(request: web.Request) -> web.StreamResponse:
    state = request.app[EMULATOR].state
    version, _, path = request.path.lstrip("/").partition("/")
    logged = LoggedRequest(
        method=request.method,
        path=f"{request.path}?{request.query_string}".rstrip("?"),
        version=version if version in _VERSIONS else None,
    )
    state.requests.append(logged)
    logged.body = await _read_json(request)
    call = Call(
        method=request.method,
        root=f"{request.scheme}://{request.host}",
        version=version,
        path=path.strip("/"),
        query=request.query,
        headers=request.headers,
        body=logged.body if request.content_type == "application/json" else None,
    )
    ids = correlation(request.headers)
    if state.config.latency_seconds:
        await _wait(state, state.config.latency_seconds)
    rule = state.faults.pick(logged.method, logged.path, logged.body)
    answer = await _answer(request, state, call, ids, rule)
    if answer is None:
        return web.Response()  # never sent: the connection is cut
    logged.status = answer.status
    return _response(answer, ids)


async def _read_json(request: web.Request) -> Any:
    content = await request.read()
    try:
        return json.loads(content)
    except ValueError:
        return None


async def _answer(
    request: web.Request, state: State, call: Call, ids: dict[str, str], rule: Rule | None
) -> Answer | None:
    """None when the connection was cut instead."""
    if rule is None:
        return _respond(state, call, ids)
    if rule.fault in {"hang", "delay"}:
        await _wait(state, rule.wait())
    if rule.fault in {"delay", "commit_then_reset", "commit_then_status"}:
        answer = _respond(state, call, ids)
    match rule.fault:
        case "close":
            _close(request)
            return None
        case "reset" | "commit_then_reset" | "hang":
            _reset(request)
            return None
        case "delay":
            return answer
        case _:
            return rule.answer(ids)


def _respond(state: State, call: Call, ids: dict[str, str]) -> Answer:
    is_batch = call.method == "POST" and call.path == "$batch"
    return (respond_to_batch if is_batch else respond)(state, call, ids)


def _response(answer: Answer, ids: dict[str, str]) -> web.Response:
    headers = {**ids, **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    is_text = isinstance(answer.body, str)
    body = answer.body if is_text else json.dumps(answer.body, ensure_ascii=False)
    headers["Content-Type"] = answer.content_type
    return web.Response(status=answer.status, body=body.encode(), headers=headers)


async def _wait(state: State, seconds: float) -> None:
    """Until the time has passed, or the emulator starts over or ends."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(state.over.wait(), seconds)


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


def _reset(request: web.Request) -> None:
    """Without lingering, the kernel says RST instead of FIN."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    request.transport.abort()
