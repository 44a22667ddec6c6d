"""Identity sources: what a connected organization stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from infra.local.graph.errors import GraphError, bad_request

NAMESPACE = "microsoft.graph."
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
_CLOUD_INSTANCES = {"microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"}

type SourceKey = tuple[str, ...]


@dataclass(frozen=True)
class IdentitySource:
    type_name: str
    properties: Mapping[str, str | None]

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """The properties as they are compared, thousands of times in a filter."""
        return {name: value.casefold() for name, value in self.properties.items() if value}

    @property
    def key(self) -> SourceKey:
        """Equal for two sources that are the same organization."""
        named = ("cloudInstance", "tenantId", "domainName")
        return (self.type_name, *(self.folded[name] for name in named if name in self.folded))

    @property
    def is_tenant(self) -> bool:
        return self.type_name in {TENANT, CROSS_CLOUD_TENANT}

    def entity(self) -> dict[str, Any]:
        return {"@odata.type": f"#{NAMESPACE}{self.type_name}", **self.properties}


def type_named(odata_type: object) -> str:
    """The bare name of ``#microsoft.graph.X``; some of Microsoft's examples drop the ``#``."""
    return str(odata_type).removeprefix("#").removeprefix(NAMESPACE)


def read_source(value: object) -> IdentitySource:
    """Raises GraphError for what the metadata does not allow."""
    if not isinstance(value, dict) or "@odata.type" not in value:
        raise bad_request("An identity source must be an object with its @odata.type.")
    type_name = type_named(value["@odata.type"])
    if type_name not in SOURCE_PROPERTIES:
        raise bad_request(f"'{value['@odata.type']}' is not an identity source to create.")
    required = SOURCE_PROPERTIES[type_name]
    for name in value:
        if name not in {"@odata.type", "displayName", *required}:
            raise unknown_property(name, type_name)
    for name in required:
        _check_value(name, value.get(name))
    _check_text("displayName", value.get("displayName", ""))
    properties = {name: value.get(name) for name in ("displayName", *required)}
    return IdentitySource(type_name, properties)


def unknown_property(name: str, type_name: str) -> GraphError:
    return bad_request(
        f"The property '{name}' does not exist on type '{NAMESPACE}{type_name}'. Make sure to "
        "only use property names that are defined by the type."
    )


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str | None):
        raise bad_request(f"The property '{name}' must be a string.")


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
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
