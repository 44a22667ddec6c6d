"""Azure Resource Manager, as far as it refuses what is deployed onto what there is.

Source: the error codes of Azure's own documentation ("Troubleshoot common Azure deployment errors",
"Azure RBAC: troubleshoot", "Change how a storage account is replicated", "Move a subnet").
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.bicep.deploying import Deployment

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
SAVED_SEARCH = "Microsoft.OperationalInsights/workspaces/savedSearches"
# Where it may not be put again with another value, by the code that it answers.
FIXED = {
    "InvalidResourceGroupLocation": ("Microsoft.Resources/resourceGroups", ("location",)),
    "StorageAccountReplicationChange": ("Microsoft.Storage/storageAccounts", ("sku", "name")),
    "InUseSubnetCannotBeUpdated": (
        "Microsoft.Network/virtualNetworks",
        ("properties", "subnets"),
    ),
}
# One name in all of Azure, whoever holds it.
GLOBAL = (
    "Microsoft.Storage/storageAccounts",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Web/sites",
)

type Json = dict[str, Any]


@dataclass
class Azure:
    held: dict[str, Json] = field(default_factory=dict)
    principals: dict[str, str] = field(default_factory=dict)
    """Of each identity; one that is made again is another."""
    soft_deleted: set[str] = field(default_factory=set)

    def deploy(self, made: Deployment) -> list[str]:
        """Return what is refused, and keep the rest."""
        refused = []
        for resource in made.resources:
            if resource.existing:
                continue
            if resource.type_name == IDENTITY:
                self.principals.setdefault(str(resource.id), str(uuid.uuid4()))
            wanted = self._resolved(resource.as_json)
            codes = list(self._refusals(wanted))
            refused += [f"{code}: {resource}" for code in codes]
            if not codes:
                self.held[wanted["id"]] = wanted
        return refused

    def delete(self, type_name: str) -> None:
        """Delete what is of a type. Role assignments of an identity stay, as in Azure."""
        for key in [key for key, held in self.held.items() if held["type"] == type_name]:
            self.principals.pop(key, None)
            if type_name == "Microsoft.KeyVault/vaults":
                self.soft_deleted.add(self.held[key]["name"])
            del self.held[key]

    def _resolved(self, value: Any) -> Any:
        """Put an identity's principal id where it is asked for."""
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        if isinstance(value, str) and "principalId" in value:
            for identity, principal in self.principals.items():
                value = value.replace(identity, principal)
        return value

    def _refusals(self, wanted: Json) -> Iterator[str]:
        there = self.held.get(wanted["id"])
        if wanted["type"] == ASSIGNMENT:
            yield from self._of_assignment(wanted, there)
        if wanted["type"] == SAVED_SEARCH and there and wanted.get("etag") != "*":
            yield "Conflict"
        if wanted["name"] in self.soft_deleted:
            yield "ConflictError"
        for code, (type_name, place) in FIXED.items():
            if there and wanted["type"] == type_name and _at(there, place) != _at(wanted, place):
                yield code

    def _of_assignment(self, wanted: Json, there: Json | None) -> Iterator[str]:
        if there and there["properties"] != wanted["properties"]:
            yield "RoleAssignmentUpdateNotPermitted"
        scope = wanted["id"].partition("'Microsoft.Authorization")[0]
        for key, other in self.held.items():
            same = other["type"] == ASSIGNMENT and other["properties"] == wanted["properties"]
            if same and key != wanted["id"] and key.startswith(scope):
                yield "RoleAssignmentExists"


def _at(resource: Json, place: tuple[str, ...]) -> Any:
    value: Any = resource
    for name in place:
        value = value.get(name, {})
    return value
