"""One Graph client for the process: the official SDK, with connorg's own patience."""

from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import RedirectHandlerOption, RetryHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from connorg.telemetry import hooks as telemetry

_CONNECT_SECONDS = 5.0


def graph_client(
    credential: AsyncTokenCredential, root: str, version: str, limit: float
) -> tuple[GraphServiceClient, GraphRequestAdapter]:
    """Make the client. `root` is a cloud's Graph root, `limit` the seconds of one answer.

    The SDK's own retries are off: they repeat a POST that may have been carried out, and they keep
    a Retry-After to themselves. Redirects are not followed: Graph sends none for these calls, and
    another address is none to send a create to.
    """
    http = httpx.AsyncClient(
        timeout=httpx.Timeout(limit, connect=_CONNECT_SECONDS),
        http2=root.startswith("https"),
        event_hooks={"response": [_tell]},
    )
    as_it_came = {
        RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0),
        RedirectHandlerOption.get_key(): RedirectHandlerOption(should_redirect=False),
    }
    authentication = AzureIdentityAuthenticationProvider(
        credential, scopes=[f"{root}/.default"], allowed_hosts=[urlsplit(root).hostname or ""]
    )
    adapter = GraphRequestAdapter(
        authentication,
        client=GraphClientFactory.create_with_default_middleware(client=http, options=as_it_came),
    )
    adapter.base_url = f"{root}/{version}"
    return GraphServiceClient(request_adapter=adapter), adapter


async def _tell(answer: httpx.Response) -> None:
    telemetry.graph_answered(answer.status_code, answer.headers)
