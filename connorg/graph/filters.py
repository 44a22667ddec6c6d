"""OData filters for connected organizations."""

from connorg.contract.identity_sources import (
    AzureActiveDirectoryTenant,
    CrossCloudAzureActiveDirectoryTenant,
    DomainIdentitySource,
    ExternalDomainFederation,
    IdentitySource,
)


def by_source(source: IdentitySource) -> str:
    match source:
        case DomainIdentitySource():
            return by_domain(source.domain_name)
        case ExternalDomainFederation():
            return _any_source("externalDomainFederation/domainName", source.domain_name)
        case AzureActiveDirectoryTenant():
            return by_tenant(source.tenant_id)
        case CrossCloudAzureActiveDirectoryTenant():
            return _any_source("crossCloudAzureActiveDirectoryTenant/tenantId", source.tenant_id)


def by_domain(domain: str) -> str:
    return _any_source("domainIdentitySource/domainName", domain)


def by_tenant(tenant_id: str) -> str:
    return _any_source("azureActiveDirectoryTenant/tenantId", tenant_id)


def equals(path: str, value: str) -> str:
    escaped = value.replace("'", "''")
    return f"{path} eq '{escaped}'"


def _any_source(path: str, value: str) -> str:
    return f"identitySources/any({equals(f'is:is/microsoft.graph.{path}', value)})"
