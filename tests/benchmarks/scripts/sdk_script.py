"""A loop of the official SDK, as its examples have it: await one, then the next.

sdk_script.py ROWS: a file with the body of a create in each line. The SDK repeats what Graph
throttles, three times at the most.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from azure.identity.aio import ManagedIdentityCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient  # type: ignore[attr-defined]
from msgraph.generated.models.connected_organization import ConnectedOrganization
from msgraph.generated.models.connected_organization_state import ConnectedOrganizationState
from msgraph.generated.models.domain_identity_source import DomainIdentitySource


async def main() -> None:
    root = os.environ["CONNORG_GRAPH_ROOT"]
    async with ManagedIdentityCredential() as credential:
        authentication = AzureIdentityAuthenticationProvider(
            credential, scopes=[f"{root}/.default"], allowed_hosts=[urlsplit(root).hostname or ""]
        )
        adapter = GraphRequestAdapter(authentication)
        adapter.base_url = f"{root}/v1.0"
        client = GraphServiceClient(request_adapter=adapter)
        for line in Path(sys.argv[1]).read_text().splitlines():  # noqa: ASYNC240  a script's way
            asked = json.loads(line)
            [source] = asked["identitySources"]
            organization = ConnectedOrganization(
                display_name=asked["displayName"],
                description=asked["description"],
                identity_sources=[
                    DomainIdentitySource(
                        odata_type="#microsoft.graph.domainIdentitySource",
                        domain_name=source["domainName"],
                        display_name=source["displayName"],
                    )
                ],
                state=ConnectedOrganizationState(asked["state"]),
            )
            management = client.identity_governance.entitlement_management
            try:
                await management.connected_organizations.post(organization)
            except APIError as error:
                print("failed", error.response_status_code, line)  # noqa: T201


asyncio.run(main())
