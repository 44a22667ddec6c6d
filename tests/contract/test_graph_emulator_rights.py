"""Service principals and their rights in the Graph emulator, held to the SDK's own models.

The models are generated from Graph's metadata: what they have no property for, Graph does not have.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from kiota_abstractions.serialization import Parsable, ParsableFactory
from kiota_serialization_json.json_parse_node import JsonParseNode
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment

from infra.local.graph.rights import (
    GRAPH_APP_ID,
    GRAPH_PRINCIPAL_ID,
    IDENTITY_GOVERNANCE_ADMINISTRATOR,
)
from infra.local.tokens import APP_ID, PRINCIPAL_ID
from tests.contract.conftest import IMPORTS_ALL_MODELS
from tests.contract.graph_emulator import EmulatedGraph, Response, emulated_graph

pytestmark = IMPORTS_ALL_MODELS

PRINCIPALS = "/v1.0/servicePrincipals"
APP_ROLES = f"{PRINCIPALS}/{PRINCIPAL_ID}/appRoleAssignments"
DIRECTORY_ROLES = "/v1.0/roleManagement/directory/roleAssignments"
APP_ROLE = {
    "principalId": PRINCIPAL_ID,
    "resourceId": GRAPH_PRINCIPAL_ID,
    "appRoleId": "9acd699f-1e81-4958-b001-93b1d2506e19",
}
DIRECTORY_ROLE = {
    "principalId": PRINCIPAL_ID,
    "roleDefinitionId": IDENTITY_GOVERNANCE_ADMINISTRATOR,
    "directoryScopeId": "/",
}
BOTH = pytest.mark.parametrize(
    ("path", "body"), [(APP_ROLES, APP_ROLE), (DIRECTORY_ROLES, DIRECTORY_ROLE)]
)
READING = ["Application.Read.All", "RoleManagement.Read.Directory"]
GRANTING = [*READING, "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"]


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        await graph.configure(roles=GRANTING)
        yield graph


def fits(body: dict[str, Any], model: ParsableFactory[Any]) -> Parsable:
    """Read a body as the SDK does; no property may be left over."""
    read: Any = JsonParseNode(body).get_object_value(model)
    left = {name for name in read.additional_data if not name.startswith("@odata.")}
    assert not left
    parsed: Parsable = read
    return parsed


async def listed(graph: EmulatedGraph, path: str) -> Response:
    query = {"filter": f"principalId eq '{PRINCIPAL_ID}'"} if path == DIRECTORY_ROLES else {}
    return await graph.call("GET", path, query=query)


async def test_principals_are_found_by_id_app_and_name(graph: EmulatedGraph) -> None:
    by_id = await graph.call("GET", f"{PRINCIPALS}/{GRAPH_PRINCIPAL_ID}")
    by_app = await graph.call("GET", f"{PRINCIPALS}(appId='{GRAPH_APP_ID}')")
    assert by_id.body == by_app.body
    for asked in (
        "displayName eq 'Microsoft Graph'",
        f"servicePrincipalNames/any(c:c eq '{GRAPH_APP_ID}')",  # as the Azure CLI asks
    ):
        found = await graph.call("GET", PRINCIPALS, query={"filter": asked})
        assert [one["id"] for one in found.body["value"]] == [GRAPH_PRINCIPAL_ID]
    read = fits(by_id.body, ServicePrincipal)
    assert isinstance(read, ServicePrincipal)
    assert {"EntitlementManagement.ReadWrite.All", "CrossTenantInformation.ReadBasic.All"} <= {
        role.value for role in read.app_roles or ()
    }
    assert (await graph.call("GET", f"{PRINCIPALS}/{APP_ID}")).code == "Request_ResourceNotFound"


@BOTH
async def test_an_assignment_is_made_once_and_listed(
    graph: EmulatedGraph, path: str, body: dict[str, str]
) -> None:
    made = await graph.call("POST", path, body)
    assert made.status == 201
    assert made.body.items() >= body.items()
    fits(made.body, AppRoleAssignment if path == APP_ROLES else UnifiedRoleAssignment)
    again = await graph.call("POST", path, body)
    assert (again.status, again.code) == (400, "Request_BadRequest")
    [held] = (await listed(graph, path)).body["value"]
    assert held["id"] == made.body["id"]


@BOTH
async def test_an_assignment_is_listed_after_the_delay(
    graph: EmulatedGraph, path: str, body: dict[str, str]
) -> None:
    await graph.configure(consistencyDelaySeconds=3600)
    assert (await graph.call("POST", path, body)).status == 201
    assert (await listed(graph, path)).body["value"] == []
    assert (await graph.call("POST", path, body)).status == 400, "it is there all the same"
    await graph.configure(consistencyDelaySeconds=0)
    assert len((await listed(graph, path)).body["value"]) == 1


@BOTH
async def test_each_right_is_needed(graph: EmulatedGraph, path: str, body: dict[str, str]) -> None:
    await graph.configure(roles=READING)
    refused = await graph.call("POST", path, body)
    assert (refused.status, refused.code) == (403, "Authorization_RequestDenied")
    assert (await listed(graph, path)).status == 200
    await graph.configure(roles=[])
    assert (await listed(graph, path)).code == "Authorization_RequestDenied"


@BOTH
async def test_what_nobody_knows_is_refused(
    graph: EmulatedGraph, path: str, body: dict[str, str]
) -> None:
    for name in body:
        wrong = body | {name: "aaaaaaaa-0000-4000-8000-00000000dead"}
        assert (await graph.call("POST", path, wrong)).status in {400, 404}, name
    assert (await listed(graph, path)).body["value"] == []


async def test_a_directory_role_is_assigned_once_in_each_scope(graph: EmulatedGraph) -> None:
    unit = f"/administrativeUnits/{APP_ID}"
    for scope in (unit, f"/{APP_ID}", "/"):
        body = DIRECTORY_ROLE | {"directoryScopeId": scope}
        assert (await graph.call("POST", DIRECTORY_ROLES, body)).status == 201
        assert (await graph.call("POST", DIRECTORY_ROLES, body)).status == 400
    listing = (await listed(graph, DIRECTORY_ROLES)).body["value"]
    assert [held["directoryScopeId"] for held in listing] == [unit, f"/{APP_ID}", "/"]


async def test_an_unknown_filter_is_not_answered(graph: EmulatedGraph) -> None:
    query = {"filter": "colour eq 'blue'"}
    for path in (PRINCIPALS, DIRECTORY_ROLES):
        assert (await graph.call("GET", path, query=query)).status == 501
