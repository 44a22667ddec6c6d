"""The third document, "Add connectedOrganization" (beta): sent as documented, or as a reference."""

import json
from typing import Any

import pytest

from tests.end_to_end.client import Connorg, Json, Partner, problem

REQUEST, ROLE = "acc2e4c1-6e2a-4b7e-8a57-0b1f2c3d4e5f", "c8b3d3a1-5c1e-4f0e_9d2a-7e6f5a4b3c2d"
PATH = f"access-package-assignment-requests/{REQUEST}/resource-roles/{ROLE}/connected-organization"
GRAPH_PATH = (
    f"/beta/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/{REQUEST}"
    f"/accessPackageAssignment/accessPackageAssignmentResourceRoles/{ROLE}"
    "/accessPackageSubject/connectedOrganization/$ref"
)
# The body of that page's example.
EXAMPLE: Json = {
    "@odata.type": "#microsoft.graph.connectedOrganization",
    "displayName": "String",
    "description": "String",
    "createdBy": "String",
    "modifiedBy": "String",
    "identitySources": [{"@odata.type": "microsoft.graph.azureActiveDirectoryTenant"}],
    "state": "configured",
}


async def send(connorg: Connorg, body: Any, path: str = PATH) -> Any:
    return await connorg.call("POST", path, content=json.dumps(body).encode())


async def subject_calls(connorg: Connorg) -> list[Json]:
    return await connorg.graph.requests("accessPackageSubject")


async def test_the_documents_example_is_sent_as_documented(connorg: Connorg) -> None:
    answer = await send(connorg, EXAMPLE)
    assert (answer.status_code, answer.content) == (204, b"")
    call = (await subject_calls(connorg))[-1]
    assert (call["method"], call["path"]) == ("POST", GRAPH_PATH)
    assert call["body"] == EXAMPLE


async def test_a_reference_is_sent_in_odatas_own_form(connorg: Connorg) -> None:
    created = (await connorg.submit(Partner().body())).json()["result"]["id"]
    for address in (
        f"https://graph.microsoft.com/beta/x/connectedOrganizations/{created}",
        f"connectedOrganizations/{created}",
    ):
        assert (await send(connorg, {"@odata.id": address})).status_code == 204
        call = (await subject_calls(connorg))[-1]
        assert (call["method"], call["path"]) == ("PUT", GRAPH_PATH)
        path = f"/beta/identityGovernance/entitlementManagement/connectedOrganizations/{created}"
        assert call["body"] == {"@odata.id": f"{connorg.stack.graph}{path}"}, "this cloud's"


async def test_a_reference_to_nothing_is_told(connorg: Connorg) -> None:
    address = "connectedOrganizations/00000000-0000-4000-8000-000000000000"
    problem(await send(connorg, {"@odata.id": address}), 404, "OrganizationNotFound")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"colour": "blue"}, "/colour"),
        ({"state": "open"}, "/state"),
        ({"identitySources": {}}, "/identitySources"),
        ({"@odata.id": "https://evil.example/users/1"}, "/@odata.id"),
        ({"@odata.id": "connectedOrganizations/../users"}, "/@odata.id"),
    ],
)
async def test_what_is_no_organization_is_refused_with_its_place(
    connorg: Connorg, body: Json, pointer: str
) -> None:
    told = problem(await send(connorg, body), 422, "InvalidValues")
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]


@pytest.mark.parametrize("bad", ["..%2f..", "a%20b", "%24ref"])
async def test_an_id_that_is_none_never_reaches_graph(connorg: Connorg, bad: str) -> None:
    calls = len(await subject_calls(connorg))
    problem(await send(connorg, EXAMPLE, PATH.replace(REQUEST, bad)), 400, "InvalidParameter")
    problem(await send(connorg, EXAMPLE, PATH.replace(ROLE, bad)), 400, "InvalidParameter")
    assert len(await subject_calls(connorg)) == calls


async def test_a_body_that_is_no_json_is_refused(connorg: Connorg) -> None:
    problem(await connorg.call("POST", PATH, content=b"<xml/>"), 400, "MalformedBody")
