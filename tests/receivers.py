"""Whoever is called back, as tests play it: a server on this machine."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

SECRET = "whsec_dHJ5LWEtY2FsbGJhY2stdHJ5LWEtY2FsbGJhY2s="
OLDER_SECRET = "whsec_dHJ5LWFuLW9sZGVyLXNlY3JldC10cnktYW4tb2xkZXI="
SETTINGS = {
    "CONNORG_CALLBACK_SECRETS": f"{SECRET}, {OLDER_SECRET}",
    "CONNORG_CALLBACK_HOSTS": "127.0.0.1",
    "CONNORG_CALLBACK_RETRY_SECONDS": "0.1",
}


@dataclass(frozen=True)
class Call:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass
class Receiver:
    calls: list[Call] = field(default_factory=list)
    statuses: tuple[int, ...] = ()
    """What is answered to the first calls; 204 from then on."""
    base: str = ""

    def address(self, name: str) -> str:
        return f"{self.base}/runs/{name}?sp=%2Ftriggers%2Fmanual%2Frun&sig=Sig-{name}"

    def called(self, name: str) -> list[Call]:
        return [
            call for call in self.calls if call.path == self.address(name).removeprefix(self.base)
        ]

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.calls.append(Call(request.raw_path, headers, body))
        number = len(self.calls)
        status = self.statuses[number - 1] if number <= len(self.statuses) else 204
        location = {"Location": f"{self.base}/elsewhere"} if 300 <= status < 400 else None
        return web.Response(status=status, headers=location)


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(statuses=statuses)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        receiver.base = f"http://127.0.0.1:{server.port}"
        yield receiver
