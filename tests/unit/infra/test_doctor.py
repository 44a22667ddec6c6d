"""What the doctor does with the key or token that it is given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.doctor import identity
from infra.doctor.__main__ import main
from infra.doctor.findings import Level
from infra.doctor.outside import Examination

KEY = {"x-functions-key": "hunter2"}


@asynccontextmanager
async def serving(
    answer: Callable[[web.Request], Awaitable[web.Response]],
) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def keys_sent(url: str) -> tuple[list[str], set[str]]:
    """Return the paths that a key was sent to, and the checks that found a fault."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        is_inside = KEY.keys() <= request.headers.keys() or request.url.path == "/api/health"
        return httpx.Response(200 if is_inside else 401, json={"checks": []})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        found = [finding async for finding in Examination(url, http, KEY).findings()]
    sent = [request.url.path for request in asked if KEY.keys() <= request.headers.keys()]
    return sent, {finding.check for finding in found if finding.level is Level.FAULT}


@pytest.mark.parametrize("url", ["https://connorg.example", "http://127.0.0.1:7071"])
async def test_a_key_is_used_where_nobody_can_read_it(url: str) -> None:
    sent, faults = await keys_sent(url)
    assert sent == ["/api/health/details", "/api/connected-organizations"]
    assert faults == set()


@pytest.mark.parametrize(
    "url",
    ["http://connorg.example", "http://127.0.0.1.connorg.example", "http://127.0.0.1@c.example"],
)
async def test_no_key_travels_in_the_clear(url: str) -> None:
    sent, faults = await keys_sent(url)
    assert sent == []
    assert faults == {"TLS"}


async def test_a_root_of_graph_that_may_get_no_token_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONNORG_GRAPH_ROOT", "http://graph.example")
    [found] = [finding async for finding in identity.examine("an-id")]
    assert found.level is Level.NOTE
    assert "must be an https address" in found.detail


async def test_no_key_follows_a_redirect() -> None:
    strayed: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        strayed.append(request.path)
        return web.json_response({"checks": []})

    async with serving(elsewhere) as other:

        async def answer(request: web.Request) -> web.Response:
            if request.path == "/api/health":
                return web.json_response({"checks": []})
            return web.Response(status=307, headers={"location": f"{other}{request.path}"})

        async with serving(answer) as url:
            await asyncio.to_thread(main, ["--url", url, "--key", "hunter2", "--json"])
    assert strayed == []
