"""Whom the app's token is sent to: the host of Graph's root, and nobody else."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AccessToken
from kiota_abstractions.api_error import APIError
from msgraph.graph_service_client import GraphServiceClient

from connorg.graph.client import graph_client

NEVER = 32_503_680_000  # seconds since 1970


class Identity:
    """Gives a token to whoever asks, as a managed identity does."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(f"token for {' '.join(scopes)}", NEVER)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        stack: TracebackType | None = None,
    ) -> None:
        """Nothing is open."""


@dataclass
class Server:
    """Keeps what it was sent by way of proof; redirects where it is told to."""

    port: int = 0
    proofs: list[str | None] = field(default_factory=list)
    redirect: str | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.proofs.append(request.headers.get("authorization"))
        if self.redirect is not None:
            return web.Response(status=307, headers={"location": self.redirect})
        return web.json_response({"value": []})


async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(app, host="127.0.0.1") as listening:
        server.port = listening.port or 0
        yield server


graph = pytest.fixture(serving, name="graph")
elsewhere = pytest.fixture(serving, name="elsewhere")


def client_of(graph: Server) -> GraphServiceClient:
    client, _ = graph_client(Identity(), f"http://127.0.0.1:{graph.port}", "v1.0", 5)
    return client


async def test_graph_gets_a_token_that_is_meant_for_it(graph: Server) -> None:
    await client_of(graph).service_principals.get()
    assert graph.proofs == [f"Bearer token for http://127.0.0.1:{graph.port}/.default"]


async def test_an_address_elsewhere_gets_none(graph: Server, elsewhere: Server) -> None:
    """As a link to the next page is, which comes from outside."""
    address = f"http://localhost:{elsewhere.port}/v1.0/servicePrincipals"
    await client_of(graph).service_principals.with_url(address).get()
    [proof] = elsewhere.proofs
    assert "token" not in (proof or "")


async def test_whom_graph_redirects_to_is_not_called(graph: Server, elsewhere: Server) -> None:
    graph.redirect = f"http://localhost:{elsewhere.port}/v1.0/servicePrincipals"
    with suppress(APIError):
        await client_of(graph).service_principals.get()
    assert elsewhere.proofs == []


@pytest.mark.parametrize("root", ["", "https://", "/v1.0", "graph.microsoft.com"])
def test_without_a_host_there_is_no_client(root: str) -> None:
    with pytest.raises(ValueError, match="host"):
        graph_client(Identity(), root, "v1.0", 5)
