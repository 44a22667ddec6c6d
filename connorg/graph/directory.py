"""The Directory on the official SDK.

Requests are the SDK's own, built by its builders from its models. Answers are taken as bytes and
read by our model: reading them as the SDK's models imports some 1,200 modules, which makes the
first create of a process four times slower and each later one seven times.
"""

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.identity_governance.entitlement_management.connected_organizations import (
    connected_organizations_request_builder as builder,
)
from msgraph.generated.models.azure_active_directory_tenant import (
    AzureActiveDirectoryTenant as SdkTenant,
)
from msgraph.generated.models.connected_organization import (
    ConnectedOrganization as SdkOrganization,
)
from msgraph.generated.models.connected_organization_state import ConnectedOrganizationState
from msgraph.generated.models.cross_cloud_azure_active_directory_tenant import (
    CrossCloudAzureActiveDirectoryTenant as SdkCrossCloudTenant,
)
from msgraph.generated.models.domain_identity_source import DomainIdentitySource as SdkDomain
from msgraph.generated.models.external_domain_federation import (
    ExternalDomainFederation as SdkFederation,
)
from msgraph.generated.models.identity_source import IdentitySource as SdkSource
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_service_client import GraphServiceClient
from pydantic import Field, ValidationError

from connorg.contract.identity_sources import (
    AzureActiveDirectoryTenant,
    CrossCloudAzureActiveDirectoryTenant,
    DomainIdentitySource,
    ExternalDomainFederation,
    IdentitySource,
)
from connorg.contract.model import Model
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import OnboardingRequest
from connorg.graph.setbacks import setback_of, unreadable
from connorg.outcomes import AlreadyConnected, Blocked, Refused, Setback
from connorg.ports import Clock

_Query = builder.ConnectedOrganizationsRequestBuilder
_MOST_NAMESAKES = 50


class _Organizations(Model, extra="ignore"):
    value: tuple[ConnectedOrganization, ...]


class _Tenant(Model, extra="ignore"):
    tenant_id: str = Field(pattern=r"^[0-9a-fA-F-]{36}$")


class GraphDirectory:
    """See ports.Directory."""

    def __init__(self, client: GraphServiceClient, adapter: RequestAdapter, clock: Clock) -> None:
        self._adapter = adapter
        self._tenants = client.tenant_relationships
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._clock = clock

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        body = SdkOrganization(
            display_name=request.display_name,
            description=request.description,
            identity_sources=[_sdk_source(request.identity_source)],
            state=ConnectedOrganizationState(request.state.value),
        )
        ask = self._organizations.to_post_request_information(body)
        return await self._send(ask, ConnectedOrganization)

    async def find(self, request: OnboardingRequest) -> ConnectedOrganization | Setback | None:
        source = request.identity_source
        found = await self._first(_filter_by(source))
        if found is not None or not isinstance(source, DomainIdentitySource):
            return found
        # Graph stores a tenant where the domain belongs to one ("Create connectedOrganization").
        tenant = await self._tenant_of(source.domain_name)
        if isinstance(tenant, Blocked):
            return await self._namesake(request)
        if isinstance(tenant, _Tenant):
            return await self._first(_by_tenant("azureActiveDirectoryTenant", tenant.tenant_id))
        return tenant

    async def update(
        self, organization: ConnectedOrganization, request: OnboardingRequest
    ) -> ConnectedOrganization | Setback:
        changes = SdkOrganization()  # a fresh one: a fetched one would send every property back
        if organization.display_name != request.display_name:
            changes.display_name = request.display_name
        if organization.description != request.description:
            changes.description = request.description
        if organization.state != request.state.value:
            changes.state = ConnectedOrganizationState(request.state.value)
        item = self._organizations.by_connected_organization_id(organization.id)
        # 200 and 202 carry a body, 204 none: what counts is what was asked for.
        done = await self._send_raw(item.to_patch_request_information(changes))
        if not isinstance(done, bytes):
            return _without_duplicate(done)
        return organization.model_copy(
            update={
                "display_name": request.display_name,
                "description": request.description,
                "state": request.state.value,
            }
        )

    async def _first(self, odata_filter: str) -> ConnectedOrganization | Setback | None:
        page = await self._list(odata_filter, top=1)
        if isinstance(page, _Organizations):
            return page.value[0] if page.value else None
        return page

    async def _namesake(self, request: OnboardingRequest) -> ConnectedOrganization | Setback | None:
        """Find a domain's organization without the right to look its tenant up.

        Among the organizations of the same name and description one that stands for a tenant is
        taken for it: a second organization of that name for another tenant would be a rare thing.
        """
        page = await self._list(_by("displayName", request.display_name), top=_MOST_NAMESAKES)
        if not isinstance(page, _Organizations):
            return page
        for organization in page.value:
            is_tenant = any(source.tenant_id for source in organization.identity_sources)
            if is_tenant and organization.description == request.description:
                return organization
        return None

    async def _list(self, odata_filter: str, top: int) -> _Organizations | Setback:
        parameters = _Query.ConnectedOrganizationsRequestBuilderGetQueryParameters(
            filter=odata_filter, top=top
        )
        configuration = RequestConfiguration(query_parameters=parameters)
        ask = self._organizations.to_get_request_information(configuration)
        return _without_duplicate(await self._send(ask, _Organizations))

    async def _tenant_of(self, domain: str) -> _Tenant | Setback | None:
        lookup = self._tenants.find_tenant_information_by_domain_name_with_domain_name(domain)
        answer = await self._send(lookup.to_get_request_information(), _Tenant)
        tenant: _Tenant | Setback = _without_duplicate(answer)
        return None if isinstance(tenant, Refused) else tenant  # 404: the domain has no tenant

    async def _send[M: Model](
        self, ask: RequestInformation, model: type[M]
    ) -> M | AlreadyConnected | Setback:
        answer = await self._send_raw(ask)
        if not isinstance(answer, bytes):
            return answer
        try:
            return model.model_validate_json(answer)
        except ValidationError:
            return unreadable()

    async def _send_raw(self, ask: RequestInformation) -> bytes | AlreadyConnected | Setback:
        try:
            answer: bytes | None = await self._adapter.send_primitive_async(
                ask, "bytes", {"XXX": ODataError}
            )
        except Exception as error:  # noqa: BLE001  what it does not know, it raises again
            return setback_of(error, self._clock.now())
        return answer or b""


def _without_duplicate[T](answer: T | AlreadyConnected) -> T | Refused:
    """Only a create can meet a duplicate; elsewhere it is a refusal as any other."""
    return Refused(answer.error) if isinstance(answer, AlreadyConnected) else answer


def _sdk_source(source: IdentitySource) -> SdkSource:
    name = source.display_name
    match source:
        case DomainIdentitySource():
            return SdkDomain(display_name=name, domain_name=source.domain_name)
        case ExternalDomainFederation():
            return SdkFederation(
                display_name=name, domain_name=source.domain_name, issuer_uri=source.issuer_uri
            )
        case AzureActiveDirectoryTenant():
            return SdkTenant(display_name=name, tenant_id=source.tenant_id)
        case CrossCloudAzureActiveDirectoryTenant():
            return SdkCrossCloudTenant(
                display_name=name, tenant_id=source.tenant_id, cloud_instance=source.cloud_instance
            )


def _filter_by(source: IdentitySource) -> str:
    match source:
        case DomainIdentitySource():
            return _by_source("domainIdentitySource/domainName", source.domain_name)
        case ExternalDomainFederation():
            return _by_source("externalDomainFederation/domainName", source.domain_name)
        case AzureActiveDirectoryTenant():
            return _by_tenant("azureActiveDirectoryTenant", source.tenant_id)
        case CrossCloudAzureActiveDirectoryTenant():
            return _by_tenant("crossCloudAzureActiveDirectoryTenant", source.tenant_id)


def _by_tenant(source_type: str, tenant_id: str) -> str:
    return _by_source(f"{source_type}/tenantId", tenant_id)


def _by_source(path: str, value: str) -> str:
    return f"identitySources/any({_by(f'is:is/microsoft.graph.{path}', value)})"


def _by(path: str, value: str) -> str:
    escaped = value.replace("'", "''")
    return f"{path} eq '{escaped}'"
