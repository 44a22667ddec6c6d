"""``/_emulator``: what tests see and set, without a token and without being recorded."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from infra.local.graph.directory import Directory, read_tenants
from infra.local.graph.faults import Faults, read_rules
from infra.local.graph.laying import lay, lay_more
from infra.local.graph.rights import read_principals
from infra.local.graph.state import EMULATOR, State
from infra.local.graph.wire import sentence

_PREFIX = "/_emulator"


def add_routes(app: web.Application) -> None:
    app.router.add_get(f"{_PREFIX}/organizations", _organizations)
    app.router.add_get(f"{_PREFIX}/requests", _requests)
    app.router.add_put(f"{_PREFIX}/organizations", _setter(lay))
    app.router.add_post(f"{_PREFIX}/organizations", _setter(lay_more))
    app.router.add_put(f"{_PREFIX}/tenants", _setter(_set_tenants))
    app.router.add_put(f"{_PREFIX}/principals", _setter(_set_principals))
    app.router.add_put(f"{_PREFIX}/faults", _setter(_set_faults))
    app.router.add_put(f"{_PREFIX}/config", _setter(_set_config))
    app.router.add_delete(_PREFIX, _reset)
    app.router.add_route("*", _PREFIX + "{path:(/.*)?}", _unknown)


async def _organizations(request: web.Request) -> web.Response:
    organizations = request.app[EMULATOR].state.organizations
    return _holding(request, (item.entity | item.sponsors for item in organizations))


async def _requests(request: web.Request) -> web.Response:
    requests = request.app[EMULATOR].state.requests
    return _holding(request, (logged.entry() for logged in requests))


def _holding(request: web.Request, entries: Iterable[Any]) -> web.Response:
    """Answer with the entries that hold the text that was asked for, if one was."""
    text = request.query.get("text", "")
    written = (json.dumps(entry, ensure_ascii=False) for entry in entries)
    found = ", ".join(entry for entry in written if text in entry)
    return web.Response(text=f"[{found}]", content_type="application/json")


async def _reset(request: web.Request) -> web.Response:
    request.app[EMULATOR].reset()
    return web.Response(status=204)


async def _unknown(request: web.Request) -> web.Response:
    return _refusal(404, f"There is no {request.method} {request.path}.")


def _setter(
    change: Callable[[State, Any], None],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            change(request.app[EMULATOR].state, json.loads(await request.read()))
        except ValidationError as error:
            return _refusal(400, sentence(error))
        except ValueError:
            return _refusal(400, "The body must be JSON.")
        return web.Response(status=204)

    return handle


def _set_tenants(state: State, value: Any) -> None:
    state.directory = Directory(read_tenants(value))


def _set_principals(state: State, value: Any) -> None:
    state.rights.principals = read_principals(value)


def _set_faults(state: State, value: Any) -> None:
    state.faults = Faults(read_rules(value))


def _set_config(state: State, value: Any) -> None:
    state.config = state.config.merged(value)


def _refusal(status: int, sentence: str) -> web.Response:
    return web.json_response({"message": sentence}, status=status)
