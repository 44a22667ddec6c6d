"""The SDK's models of what Graph is sent."""

from typing import Any, assert_never

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

from connorg.contract.fields import Attributes
from connorg.contract.identity_sources import (
    AzureActiveDirectoryTenant,
    CrossCloudAzureActiveDirectoryTenant,
    DomainIdentitySource,
    ExternalDomainFederation,
    IdentitySource,
)
from connorg.contract.requests import OnboardingRequest


def new_organization(request: OnboardingRequest) -> SdkOrganization:
    return SdkOrganization(
        identity_sources=[_source(request.identity_source)], **_properties(request.attributes)
    )


def changes(held: Attributes, wanted: Attributes) -> SdkOrganization:
    """Return what differs alone. A fetched organization would send every property back."""
    differing = dict(wanted.items() - held.items())
    return SdkOrganization(**_properties(differing))


def _properties(attributes: Attributes) -> dict[str, Any]:
    """Name attributes as the SDK does: as we do, but with an enum for the state."""
    properties: dict[str, Any] = {**attributes}
    if "state" in properties:
        properties["state"] = ConnectedOrganizationState(properties["state"])
    return properties


def _source(source: IdentitySource) -> SdkSource:
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
        case _:
            assert_never(source)
