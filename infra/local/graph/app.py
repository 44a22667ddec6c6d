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
from infra.local.graph.config import Config
from infra.local.graph.faults import FaultRule, RawRule
from infra.local.graph.model import MODELS
from infra.local.graph.paths import read_path
from infra.local.graph.query import read_query
from infra.local.graph.routes import respond
from infra.local.graph.state import EMULATOR, Emulator, LoggedRequest, State

_LARGEST_BODY = 4 * 1024 * 1024  # "Known issues with Microsoft Graph": 4 MB a request
_NO_LINGER = struct.pack("ii", 1, 0)


def create_app(config: Config | None = None) -> web.Application:
    app = web.Application(client_max_size=_LARGEST_BODY)
    app[EMULATOR] = Emulator(config or Config())
    app.on_shutdown.append(_release)
    control.add_routes(app)
    app.router.add_route("*", "/{path:.*}", _graph)
    return app


async def _release(app: web.Application) -> None:
    app[EMULATOR].state.over.set()


async def _graph(request: web.Request) -> web.StreamResponse:
    state = request.app[EMULATOR].state
    raw_path, _, raw_query = request.raw_path.partition("?")
    version, path = read_path(raw_path)
    logged = LoggedRequest(
        method=request.method,
        path=f"{request.path}?{request.query_string}".rstrip("?"),
        version=version if version in MODELS else None,
    )
    state.requests.append(logged)
    ids = correlation(request.headers)
    content = await _content(request)
    logged.body = _json(content)
    call = Call(
        method=request.method,
        root=f"{request.scheme}://{request.host}",
        version=version,
        path=path,
        query=read_query(raw_query),
        headers=request.headers,
        content=content,
    )
    if state.config.latency_seconds:
        await _wait(state, state.config.latency_seconds)
    rule = state.faults.pick(logged.method, logged.path, logged.body)
    answer = await _answer(request, state, call, ids, rule)
    if answer is None:
        return web.Response()  # never sent: the connection is cut
    logged.status = answer.status
    return _response(answer, ids)


async def _content(request: web.Request) -> bytes:
    """Nothing where it cannot be unpacked: a packed one is refused in any case."""
    try:
        return await request.read()
    except web.RequestPayloadError:
        return b""


def _json(content: bytes) -> Any:
    """For people and fault rules; None where there is none."""
    try:
        return json.loads(content)
    except ValueError:
        return None


async def _answer(
    request: web.Request,
    state: State,
    call: Call,
    ids: dict[str, str],
    rule: FaultRule | RawRule | None,
) -> Answer | None:
    """None when the connection was cut instead."""
    if rule is None:
        return _respond(state, call, ids)
    if isinstance(rule, FaultRule) and rule.fault in {"hang", "delay"}:
        await _wait(state, rule.wait())
    if rule.commits:
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
    names = [segment.name for segment in call.path]
    is_batch = call.method == "POST" and names == ["$batch"]
    return (respond_to_batch if is_batch else respond)(state, call, ids)


def _response(answer: Answer, ids: dict[str, str]) -> web.Response:
    headers = {**ids, **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    is_text = isinstance(answer.body, str)
    body = answer.body if is_text else json.dumps(answer.body, ensure_ascii=False)
    headers.setdefault("Content-Type", answer.content_type)
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
