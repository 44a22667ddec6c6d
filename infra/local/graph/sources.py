"""Identity sources: what a connected organization represents, as in Graph's JSON."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from infra.local.graph.errors import bad_request
from infra.local.graph.model import NAMESPACE

TENANT = "azureActiveDirectoryTenant"
CROSS_CLOUD_TENANT = "crossCloudAzureActiveDirectoryTenant"
DOMAIN = "domainIdentitySource"
FEDERATION = "externalDomainFederation"

# The properties of each type that a caller may create, without displayName, which all have.
# socialIdentitySource is missing: the service alone makes those.
SOURCE_PROPERTIES = {
    TENANT: ("tenantId",),
    CROSS_CLOUD_TENANT: ("tenantId", "cloudInstance"),
    DOMAIN: ("domainName",),
    FEDERATION: ("domainName", "issuerUri"),
}
_NAMING = ("cloudInstance", "tenantId", "domainName", "socialIdentitySourceType")
_CLOUD_INSTANCES = {"microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"}

type Source = Mapping[str, Any]
type SourceKey = tuple[str, ...]


def type_of(source: Source) -> str:
    """The type's name without its namespace."""
    return str(source.get("@odata.type", "")).removeprefix(f"#{NAMESPACE}")


def key_of(source: Source) -> SourceKey:
    """Equal for two sources that are the same organization."""
    named = (str(source[name]).casefold() for name in _NAMING if source.get(name))
    return (type_of(source), *named)


def is_tenant(source: Source) -> bool:
    return type_of(source) in {TENANT, CROSS_CLOUD_TENANT}


def tenant_source(tenant_id: str, display_name: str) -> Source:
    return {
        "@odata.type": f"#{NAMESPACE}{TENANT}",
        "displayName": display_name,
        "tenantId": tenant_id,
    }


def judged(source: Source | None) -> Source:
    """The source of a new organization, with all the properties of its type.

    Raise GraphError for what Graph would make of nothing."""
    if source is None or type_of(source) not in SOURCE_PROPERTIES:
        shown = None if source is None else source["@odata.type"]
        raise bad_request(f"'{shown}' is not an identity source to create.")
    names = SOURCE_PROPERTIES[type_of(source)]
    for name in names:
        _check(name, source.get(name))
    return {name: source.get(name) for name in ("@odata.type", "displayName", *names)}


def _check(name: str, value: str | None) -> None:
    if value is None or not value.strip():
        raise bad_request(f"The property '{name}' of an identity source is required.")
    if name == "cloudInstance" and value not in _CLOUD_INSTANCES:
        raise bad_request(f"'{value}' is not a cloud instance.")
    if name == "tenantId" and not _is_guid(value):
        raise bad_request(f"The tenantId '{value}' is not a GUID.")


def _is_guid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
