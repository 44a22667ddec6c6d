"""Microsoft's own SDK and credential cannot tell the emulator from Microsoft Graph."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestServer
from azure.identity.aio import ManagedIdentityCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import RetryHandlerOption
from msgraph.generated.identity_governance.entitlement_management.connected_organizations.connected_organizations_request_builder import (  # noqa: E501  the SDK's own name
    ConnectedOrganizationsRequestBuilder,
)
from msgraph.generated.models.azure_active_directory_tenant import AzureActiveDirectoryTenant
from msgraph.generated.models.connected_organization import ConnectedOrganization
from msgraph.generated.models.connected_organization_state import ConnectedOrganizationState
from msgraph.generated.models.domain_identity_source import DomainIdentitySource
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from infra.local.identity import create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH
from tests.contract.conftest import IMPORTS_ALL_MODELS
from tests.contract.graph_emulator import PARTNER_ID, USER, EmulatedGraph, emulated_graph

Query = ConnectedOrganizationsRequestBuilder.ConnectedOrganizationsRequestBuilderGetQueryParameters

pytestmark = [
    # Said by each of the SDK's request builders of its own class.
    pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning"),
    IMPORTS_ALL_MODELS,
]


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        await graph.tenants()
        yield graph


@pytest.fixture
async def adapter(
    graph: EmulatedGraph, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GraphRequestAdapter]:
    async with TestServer(create_app()) as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(identity.make_url(TOKEN_PATH)))
        monkeypatch.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
        async with ManagedIdentityCredential() as credential, httpx.AsyncClient() as http:
            client = GraphClientFactory.create_with_default_middleware(
                client=http,
                options={RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0)},
            )
            authentication = AzureIdentityAuthenticationProvider(
                credential, scopes=[f"{graph.root}/.default"], allowed_hosts=["127.0.0.1"]
            )
            adapter = GraphRequestAdapter(authentication, client=client)
            adapter.base_url = f"{graph.root}/v1.0"
            yield adapter


@pytest.fixture
def sdk(adapter: GraphRequestAdapter) -> GraphServiceClient:
    return GraphServiceClient(request_adapter=adapter)


def _organizations(sdk: GraphServiceClient) -> ConnectedOrganizationsRequestBuilder:
    return sdk.identity_governance.entitlement_management.connected_organizations


def _organization(domain: str) -> ConnectedOrganization:
    return ConnectedOrganization(
        display_name=domain,
        description=domain,
        identity_sources=[DomainIdentitySource(domain_name=domain, display_name=domain)],
        state=ConnectedOrganizationState.Proposed,
    )


async def _create(sdk: GraphServiceClient, domain: str) -> str:
    created = await _organizations(sdk).post(_organization(domain))
    assert created is not None
    assert created.id is not None
    return created.id


async def test_the_sdk_creates_and_reads_what_it_created(sdk: GraphServiceClient) -> None:
    created = await _organizations(sdk).post(_organization("contoso.test"))
    assert created is not None
    assert created.id is not None
    assert created.identity_sources == []
    assert created.state is ConnectedOrganizationState.Proposed
    assert created.created_date_time is not None
    read = await _organizations(sdk).by_connected_organization_id(created.id).get()
    assert read is not None
    assert read.identity_sources is not None
    [source] = read.identity_sources
    assert isinstance(source, AzureActiveDirectoryTenant)
    assert source.tenant_id == PARTNER_ID


async def test_the_sdk_finds_by_source(sdk: GraphServiceClient) -> None:
    await _create(sdk, "other.example")
    organization_id = await _create(sdk, "contoso.test")
    predicate = (
        "identitySources/any(is:is/microsoft.graph.azureActiveDirectoryTenant/tenantId "
        f"eq '{PARTNER_ID}')"
    )
    found = await _organizations(sdk).get(
        RequestConfiguration(query_parameters=Query(filter=predicate, count=True))
    )
    assert found is not None
    assert [item.id for item in found.value or []] == [organization_id]
    assert found.odata_count == 1


async def test_the_sdk_follows_pages(sdk: GraphServiceClient) -> None:
    for name in ("a", "b", "c"):
        await _create(sdk, f"{name}.example")
    page = await _organizations(sdk).get(RequestConfiguration(query_parameters=Query(top=2)))
    assert page is not None
    assert page.odata_next_link is not None
    following = await _organizations(sdk).with_url(page.odata_next_link).get()
    assert following is not None
    assert [item.display_name for item in following.value or []] == ["c.example"]


async def test_the_sdk_updates_and_deletes(sdk: GraphServiceClient, graph: EmulatedGraph) -> None:
    organization = _organizations(sdk).by_connected_organization_id(await _create(sdk, "a.example"))
    await organization.patch(ConnectedOrganization(description="New"))
    [stored] = await graph.control("GET", "organizations")
    assert (stored["description"], stored["displayName"]) == ("New", "a.example")
    await organization.delete()
    assert await graph.control("GET", "organizations") == []


async def test_the_sdk_adds_and_lists_sponsors(
    sdk: GraphServiceClient, graph: EmulatedGraph
) -> None:
    organization = _organizations(sdk).by_connected_organization_id(await _create(sdk, "a.example"))
    reference = ReferenceCreate(odata_id=f"{graph.root}/v1.0/users/{USER['id']}")
    await organization.internal_sponsors.ref.post(reference)
    sponsors = await organization.internal_sponsors.get()
    assert sponsors is not None
    [sponsor] = sponsors.value or []
    assert isinstance(sponsor, User)
    assert sponsor.user_principal_name == USER["userPrincipalName"]


async def test_the_sdk_looks_up_tenants_and_users(sdk: GraphServiceClient) -> None:
    lookup = sdk.tenant_relationships.find_tenant_information_by_domain_name_with_domain_name
    found = await lookup("contoso.test").get()
    assert found is not None
    assert (found.tenant_id, found.display_name) == (PARTNER_ID, "Contoso")
    user = await sdk.users.by_user_id(USER["userPrincipalName"]).get()
    assert user is not None
    assert user.id == USER["id"]


async def test_the_sdk_sends_the_subjects_reference_without_a_builder(
    adapter: GraphRequestAdapter, graph: EmulatedGraph
) -> None:
    request = RequestInformation()
    request.http_method = Method.POST
    request.url = (
        f"{graph.root}/beta/identityGovernance/entitlementManagement"
        "/accessPackageAssignmentRequests/r1/accessPackageAssignment"
        "/accessPackageAssignmentResourceRoles/r2/accessPackageSubject/connectedOrganization/$ref"
    )
    request.set_stream_content(
        b'{"@odata.type": "#microsoft.graph.connectedOrganization", "displayName": "A"}',
        "application/json",
    )
    await adapter.send_no_response_content_async(request, {"XXX": ODataError})
    [entry] = await graph.control("GET", "requests")
    assert (entry["status"], entry["version"]) == (204, "beta")


async def test_the_sdk_reads_a_refusal_with_its_code_and_ids(sdk: GraphServiceClient) -> None:
    await _create(sdk, "a.example")
    with pytest.raises(ODataError) as refused:
        await _create(sdk, "a.example")
    assert refused.value.response_status_code == 400
    error = refused.value.error
    assert error is not None
    assert error.code == "IdentityProviderAlreadyConfigured"
    assert error.inner_error is not None
    assert error.inner_error.date is not None
    assert error.inner_error.request_id
    assert error.inner_error.client_request_id


async def test_the_sdk_sees_retry_after(sdk: GraphServiceClient, graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "throttle", "retryAfter": 1.5})
    with pytest.raises(ODataError) as throttled:
        await _create(sdk, "a.example")
    assert throttled.value.response_status_code == 429
    assert dict(throttled.value.response_headers or {})["retry-after"] == "1.5"


async def test_the_sdk_has_only_a_status_for_html(
    sdk: GraphServiceClient, graph: EmulatedGraph
) -> None:
    await graph.fail({"fault": "html", "status": 502})
    with pytest.raises(APIError) as failed:
        await _create(sdk, "a.example")
    assert not isinstance(failed.value, ODataError)
    assert failed.value.response_status_code == 502


@pytest.mark.parametrize(
    ("fault", "expected", "stored"),
    [
        ("reset", httpx.ReadError, 0),
        ("close", httpx.RemoteProtocolError, 0),
        ("commit_then_reset", httpx.ReadError, 1),
    ],
)
async def test_the_sdk_tells_a_reset_from_a_close(
    sdk: GraphServiceClient,
    graph: EmulatedGraph,
    fault: str,
    expected: type[Exception],
    stored: int,
) -> None:
    await graph.fail({"fault": fault})
    with pytest.raises(expected):
        await _create(sdk, "a.example")
    assert len(await graph.control("GET", "organizations")) == stored


async def test_the_sdk_is_denied_without_the_role(
    sdk: GraphServiceClient, graph: EmulatedGraph
) -> None:
    await graph.configure(roles=[])
    for call, code in (
        (_create(sdk, "a.example"), "UnAuthorized"),
        (sdk.users.by_user_id(USER["id"]).get(), "Authorization_RequestDenied"),
    ):
        denied: Any = call
        with pytest.raises(ODataError) as refused:
            await denied
        assert refused.value.response_status_code == 403
        assert refused.value.error is not None
        assert refused.value.error.code == code
