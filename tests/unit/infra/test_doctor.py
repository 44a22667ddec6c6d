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


ROUTES = {
    "/onboardings/{id}": {"get": {"security": [{}]}, "delete": {"security": [{}]}},
    "/connected-organizations/{id}/{kind}": {"post": {"security": [{}]}},
    "/health": {"get": {"security": []}},
}


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "onboardings/none"), ("POST", "connected-organizations/none/none"), (None, None)],
)
async def test_every_route_with_a_role_is_tried_by_a_forged_caller(
    method: str | None, path: str | None
) -> None:
    tried: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked = (request.method, request.url.path.removeprefix("/api/"))
        if asked[1] == "openapi.json":
            return httpx.Response(200, json={"paths": ROUTES})
        if "x-ms-client-principal" in request.headers:
            tried.append(asked)
        elif asked[1] == "health":
            return httpx.Response(200, json={"checks": []})
        return httpx.Response(404 if asked == (method, path) else 401)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        examination = Examination("https://connorg.example", http, {})
        found = {finding.check: finding async for finding in examination.findings()}
    assert sorted(tried) == [
        ("DELETE", "onboardings/none"),
        ("GET", "onboardings/none"),
        ("POST", "connected-organizations/none/none"),
    ]
    forged = found["forged caller"]
    if method is None:
        assert (forged.level, forged.detail) == (Level.OK, "Refused by 3 of 3 routes.")
    else:
        assert forged.level is Level.FAULT
        assert f"1 of 3 routes: {method} {path} (404)" in forged.detail


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
