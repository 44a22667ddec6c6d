"""Application Insights' ingestion, as tests play it: over TLS, because tokens go nowhere else."""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.own_tls import CERTIFICATE, tls_of_its_own

KEY = "11111111-2222-3333-4444-555555555555"
"""The instrumentation key: it says where telemetry belongs, and lets nobody in."""


@dataclass
class Ingestion:
    certificate: Path
    url: str = ""
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)

    @property
    def settings(self) -> dict[str, str]:
        """What lets an app send here."""
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey={KEY};IngestionEndpoint={self.url}"
            ),
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }

    def of_type(self, base_type: str) -> list[dict[str, Any]]:
        data = (envelope["data"] for envelope in self.envelopes)
        return [one["baseData"] for one in data if one["baseType"] == base_type]

    def claims(self, name: str) -> set[str]:
        """What the tokens say of one claim."""
        payloads = (token.split(".")[1] for token in self.tokens)
        return {json.loads(base64.urlsafe_b64decode(f"{one}=="))[name] for one in payloads}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        sent = json.loads(body)
        self.envelopes += sent
        self.paths.add(request.path)
        self.tokens.add(request.headers.get("authorization", "").removeprefix("Bearer "))
        taken = {"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []}
        return web.json_response(taken)


@asynccontextmanager
async def ingesting(folder: Path) -> AsyncIterator[Ingestion]:
    context = tls_of_its_own(folder)
    ingestion = Ingestion(folder / CERTIFICATE)
    app = web.Application(client_max_size=2**26, handler_args={"auto_decompress": False})
    app.router.add_route("*", "/{path:.*}", ingestion.take)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    ingestion.url = f"https://127.0.0.1:{server.port}"
    try:
        yield ingestion
    finally:
        await server.close()
