"""What a team would write from the SDK's documentation: one create, awaited and answered.

Sources: "Create connectedOrganization" (its Python example), "Azure Functions Python developer
guide", "National clouds" of the SDK for the address: the emulator's here, Graph's in earnest.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
from azure.identity.aio import ManagedIdentityCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient  # type: ignore[attr-defined]
from msgraph.generated.models.connected_organization import ConnectedOrganization
from msgraph.generated.models.connected_organization_state import ConnectedOrganizationState
from msgraph.generated.models.domain_identity_source import DomainIdentitySource

root = os.environ["CONNORG_GRAPH_ROOT"]
credential = ManagedIdentityCredential()
authentication = AzureIdentityAuthenticationProvider(
    credential,
    scopes=[f"{root}/.default"],
    allowed_hosts=[urlsplit(root).hostname or ""],
)
adapter = GraphRequestAdapter(authentication)
adapter.base_url = f"{root}/v1.0"
client = GraphServiceClient(request_adapter=adapter)

app = func.FunctionApp()


@app.route("connected-organizations", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def connect(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(await create(req.get_json()), status_code=201)


async def create(asked: dict[str, Any]) -> str:
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
    entitlement_management = client.identity_governance.entitlement_management
    created = await entitlement_management.connected_organizations.post(organization)
    return (created.id if created else None) or ""
