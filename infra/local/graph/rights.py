"""Service principals of the home tenant, and the app roles and directory roles that they hold.

Sources: the pages "Grant an appRoleAssignment to a service principal", "List appRoleAssignments",
"Create unifiedRoleAssignment" and "List unifiedRoleAssignments" of the Microsoft Graph reference.
They warn of replication delays: an assignment is listed only ``consistencyDelaySeconds`` after it
was made. The answers to a second assignment of the same are seen from the live service, not
documented.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, TypeAdapter

from infra.local.graph.errors import no_such_object
from infra.local.graph.wire import ControlModel
from infra.local.tokens import APP_ID, PRINCIPAL_ID

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
GRAPH_PRINCIPAL_ID = "44444444-4444-4444-8444-444444444444"
IDENTITY_GOVERNANCE_ADMINISTRATOR = "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"
_GRAPH_ROLES = {
    "EntitlementManagement.ReadWrite.All": "9acd699f-1e81-4958-b001-93b1d2506e19",
    "EntitlementManagement.Read.All": "c74fd47d-ed3c-45c3-9a9e-b8676de685d2",
    "CrossTenantInformation.ReadBasic.All": "cac88765-0581-4025-9725-5ebc13f729ee",
}


class AppRole(ControlModel):
    id: str
    value: str

    def entity(self) -> dict[str, Any]:
        told = {"displayName": self.value, "description": self.value, "origin": "Application"}
        members = ["Application"]
        return {**self.model_dump(), **told, "isEnabled": True, "allowedMemberTypes": members}


class Principal(ControlModel):
    id: str
    app_id: str
    display_name: str
    app_roles: list[AppRole] = Field(default=[])

    def entity(self) -> dict[str, Any]:
        roles = [role.entity() for role in self.app_roles]
        named = {"id": self.id, "appId": self.app_id, "displayName": self.display_name}
        return {**named, "servicePrincipalType": "Application", "appRoles": roles}


@dataclass(frozen=True, slots=True)
class Assignment:
    """``key`` is what may be there only once."""

    key: tuple[str, ...]
    entity: dict[str, Any]
    at: float = field(default_factory=time.monotonic)


_PRINCIPALS = TypeAdapter(list[Principal])
_KNOWN = (
    Principal(
        id=GRAPH_PRINCIPAL_ID,
        app_id=GRAPH_APP_ID,
        display_name="Microsoft Graph",
        app_roles=[AppRole(id=id_, value=value) for value, id_ in _GRAPH_ROLES.items()],
    ),
    Principal(id=PRINCIPAL_ID, app_id=APP_ID, display_name="connorg-identity"),
)


def read_principals(value: object) -> list[Principal]:
    """Beside Microsoft Graph and the app's identity. Raise pydantic.ValidationError."""
    return [*_KNOWN, *_PRINCIPALS.validate_python(value)]


class Rights:
    """What is assigned to whom. Ids are compared without regard to case."""

    def __init__(self) -> None:
        self.principals = list(_KNOWN)
        self.app_roles: list[Assignment] = []
        self.directory_roles: list[Assignment] = []

    def principal(self, key: str, by: str = "id") -> Principal:
        """Raise GraphError 404."""
        for principal in self.principals:
            if str(getattr(principal, by)).casefold() == key.casefold():
                return principal
        raise no_such_object(key)
