"""What Graph does for each call on service principals and the rights that they hold."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.local.graph import grammar
from infra.local.graph.calls import Answer, Call
from infra.local.graph.errors import GraphError, no_such_object, not_emulated
from infra.local.graph.grammar import Binary, Constant, Name, Node, Quantified, RefusedError
from infra.local.graph.rights import IDENTITY_GOVERNANCE_ADMINISTRATOR, Assignment, Principal
from infra.local.graph.state import State

_SCOPE = re.compile(r"/|/administrativeUnits/[0-9a-f-]{36}|/[0-9a-f-]{36}")
"""The directory, an administrative unit of it, or the object of an application."""


def get_principal(state: State, call: Call, principal_id: str) -> Answer:
    return _one(call, state.rights.principal(principal_id))


def get_principal_by_app(state: State, call: Call, app_id: str) -> Answer:
    return _one(call, state.rights.principal(app_id, "app_id"))


def list_principals(state: State, call: Call) -> Answer:
    """By display name; or by client id, as the Azure CLI looks for one."""
    wanted = _filter(call)
    principals = state.rights.principals
    if name := _equal(wanted, "displayName"):
        found = [one.entity() for one in principals if one.display_name == name]
        return _many(call, "servicePrincipals", found)
    match wanted:
        case Quantified(True, Name("servicePrincipalNames", None), str(variable), Binary() as each):
            if app_id := _equal(each, variable):
                found = [one.entity() for one in principals if one.app_id == app_id]
                return _many(call, "servicePrincipals", found)
    raise not_emulated("This filter")


def list_app_roles(state: State, call: Call, principal_id: str) -> Answer:
    rights = state.rights
    call.query.refuse_options()
    holder = rights.principal(principal_id).id
    held = _listed(state, rights.app_roles, lambda entity: entity["principalId"] == holder)
    return _many(call, "appRoleAssignments", held)


def assign_app_role(state: State, call: Call, principal_id: str) -> Answer:
    rights, body = state.rights, call.json_object()
    principal = rights.principal(principal_id)
    resource = rights.principal(str(body.get("resourceId")))
    if body.get("principalId") != principal.id:
        raise _refused("The principalId must be that of the address.")
    if body.get("appRoleId") not in {role.id for role in resource.app_roles}:
        raise _refused("Permission being assigned was not found on application")
    told = {
        "appRoleId": body["appRoleId"],
        "principalDisplayName": principal.display_name,
        "principalId": principal.id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.display_name,
        "resourceId": resource.id,
        "createdDateTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "deletedDateTime": None,
    }
    key = (principal.id, resource.id, body["appRoleId"])
    again = "Permission being assigned already exists on the object"
    return _assign(call, rights.app_roles, "appRoleAssignments", Assignment(key, told), again)


def list_directory_roles(state: State, call: Call) -> Answer:
    holder = _filtered(call, "principalId")
    held = _listed(
        state, state.rights.directory_roles, lambda entity: entity["principalId"] == holder
    )
    return _many(call, "roleManagement/directory/roleAssignments", held)


def assign_directory_role(state: State, call: Call) -> Answer:
    rights, body = state.rights, call.json_object()
    principal = rights.principal(str(body.get("principalId")))
    role = body.get("roleDefinitionId")
    if role != IDENTITY_GOVERNANCE_ADMINISTRATOR:  # the only one that is known here
        raise no_such_object(str(role))
    scope = str(body.get("directoryScopeId"))
    if not _SCOPE.fullmatch(scope):
        raise _refused("The request must have a directoryScopeId or an appScopeId.")
    told = {"principalId": principal.id, "roleDefinitionId": role, "directoryScopeId": scope}
    again = (
        "A conflicting object with one or more of the specified property values is present in the"
        " directory."
    )
    made = Assignment((principal.id, role, scope), told)
    return _assign(
        call, rights.directory_roles, "roleManagement/directory/roleAssignments", made, again
    )


def _assign(
    call: Call, held: list[Assignment], entity_set: str, made: Assignment, again: str
) -> Answer:
    if made.key in {assignment.key for assignment in held}:
        raise _refused(again)
    made.entity["id"] = uuid4().hex
    held.append(made)
    context = call.context(f"{entity_set}/$entity")
    return Answer(201, {"@odata.context": context, **made.entity})


def _listed(
    state: State, assignments: list[Assignment], is_meant: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    seen = time.monotonic() - state.config.consistency_delay_seconds
    return [made.entity for made in assignments if made.at <= seen and is_meant(made.entity)]


def _filtered(call: Call, name: str) -> str:
    """The value that this property has to have."""
    if value := _equal(_filter(call), name):
        return value
    raise not_emulated("This filter")


def _filter(call: Call) -> Node:
    call.query.refuse_options("filter", "select")
    try:
        return grammar.parse(call.query.system.get("filter", ""), {})
    except RefusedError:
        raise _refused("Invalid filter clause") from None


def _equal(node: Node, name: str) -> str | None:
    """Return the value that a name has to equal; None where that is not all that is asked."""
    match node:
        case Binary("eq", Name(asked, None), Constant(_, "Edm.String", str(value))):
            return value if asked == name else None
    return None


def _selected(call: Call, entity: dict[str, Any]) -> dict[str, Any]:
    text = call.query.system.get("select", "")
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in entity:
            raise not_emulated(f"The property '{name}' here")
    return {name: entity[name] for name in names} if names else entity


def _one(call: Call, principal: Principal) -> Answer:
    call.query.refuse_options("select")
    context = call.context("servicePrincipals/$entity")
    return Answer(200, {"@odata.context": context, **_selected(call, principal.entity())})


def _many(call: Call, entity_set: str, value: list[dict[str, Any]]) -> Answer:
    shown = [_selected(call, entity) for entity in value]
    return Answer(200, {"@odata.context": call.context(entity_set), "value": shown})


def _refused(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)
