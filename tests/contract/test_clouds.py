"""In each cloud everything goes to that cloud: calls, tokens, and the addresses inside of bodies.

No cloud is called: requests end in httpx's MockTransport, or at a proxy that lets nothing through.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.clouds import Cloud
from connorg.graph.admin import GraphOrganizationAdmin
from connorg.graph.gateway import GraphOrganizationGateway
from connorg.graph.sender import Sender
from connorg.settings import Settings
from infra.local.identity import create_app as create_identity
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH
from tests.contract.graphs import SystemClock
from tests.contract.operations import do_everything

ROOTS = {
    Cloud.GLOBAL: "https://graph.microsoft.com",
    Cloud.US_GOV_L4: "https://graph.microsoft.us",
    Cloud.US_GOV_L5: "https://dod-graph.microsoft.us",
    Cloud.CHINA: "https://microsoftgraph.chinacloudapi.cn",
}
ORGANIZATION: dict[str, Any] = {"id": "o", "displayName": "Contoso"}


class Recorder:
    """Answers what is fit, and remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if "findTenant" in request.url.path:
            return httpx.Response(404, json={"error": {"code": "x", "message": "x"}})
        if "skiptoken" in str(request.url):
            return httpx.Response(200, json={"value": []})
        if request.method == "GET" and not request.url.path.endswith("/o"):
            next_link = f"{request.url.copy_with(query=None)}?$skiptoken=2"
            return httpx.Response(200, json={"value": [], "@odata.nextLink": next_link})
        return httpx.Response(200, json=ORGANIZATION)

    @property
    def references(self) -> list[str]:
        """Each `@odata.id` that was sent."""
        bodies = [json.loads(request.content) for request in self.sent if request.content]
        return [body["@odata.id"] for body in bodies if "@odata.id" in body]


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("cloud", Cloud)
async def test_every_call_and_reference_is_to_the_clouds_own_root(
    cloud: Cloud, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONNORG_GRAPH_ROOT", raising=False)
    monkeypatch.setenv("CONNORG_CLOUD", cloud.value)
    root = Settings.read().graph_root
    recorder = Recorder()
    async with httpx.AsyncClient(transport=httpx.MockTransport(recorder)) as http:
        adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), client=http)
        adapter.base_url = f"{root}/{version}"
        client, sender = GraphServiceClient(request_adapter=adapter), Sender(adapter, SystemClock())
        await do_everything(
            GraphOrganizationGateway(client, sender, f"{root}/{version}"),
            GraphOrganizationAdmin(client, sender, root, version),
        )
    assert len(recorder.sent) > 20
    subjects = [sent for sent in recorder.sent if "accessPackageSubject" in sent.url.path]
    for sent in recorder.sent:
        of_version = "beta" if sent in subjects else version
        assert str(sent.url).startswith(f"{ROOTS[cloud]}/{of_version}/")
    *sponsors, organization = recorder.references
    assert len(sponsors) == 6
    assert all(named.startswith(f"{ROOTS[cloud]}/{version}/users/") for named in sponsors)
    organizations = "beta/identityGovernance/entitlementManagement/connectedOrganizations"
    assert organization == f"{ROOTS[cloud]}/{organizations}/o"


# The whole way from the setting to the wire

READ = """
import asyncio
from connorg.wiring import gateway
print(asyncio.run(gateway().read("o")).error.code)
"""


@asynccontextmanager
async def closed_proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """Its address, and whom it was asked to reach."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def identity_endpoint() -> AsyncIterator[tuple[str, list[str]]]:
    """Its address, and for which resources it was asked for a token."""
    resources: list[str] = []
    app = create_identity()

    async def note(request: web.Request, _: web.StreamResponse) -> None:
        resources.append(request.query["resource"])

    app.on_response_prepare.append(note)
    async with TestServer(app) as server:
        yield str(server.make_url(TOKEN_PATH)), resources


async def run(code: str, environment: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode().strip()


@pytest.mark.parametrize(
    "cloud",
    # Each is a process. Which root is whose is tried above for all of them.
    [pytest.param(one, marks=() if one is Cloud.CHINA else pytest.mark.slow) for one in Cloud],
)
async def test_one_setting_moves_root_token_and_allowed_host(cloud: Cloud) -> None:
    async with closed_proxy() as (proxy, asked), identity_endpoint() as (identity, resources):
        outcome = await run(
            READ,
            {
                "PATH": os.environ["PATH"],
                "CONNORG_CLOUD": cloud.value,
                "HTTPS_PROXY": proxy,
                "IDENTITY_ENDPOINT": identity,
                "IDENTITY_HEADER": LOCAL_IDENTITY_HEADER,
            },
        )
    assert outcome == "GraphConnectionLost"
    # No token is asked for where the host is not an allowed one.
    assert resources == [ROOTS[cloud]]
    assert asked == [f"{ROOTS[cloud].removeprefix('https://')}:443"]
