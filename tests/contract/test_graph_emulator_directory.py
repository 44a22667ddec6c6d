"""The Graph emulator's sponsors, tenants and batches, and the reference on a package's subject."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.local import tokens
from tests.contract.graph_emulator import (
    BETA_ORGANIZATIONS,
    GROUP,
    GUEST,
    ORGANIZATIONS,
    PARTNER_ID,
    USER,
    EmulatedGraph,
    domain,
    emulated_graph,
)

SUBJECT = (
    "identityGovernance/entitlementManagement/accessPackageAssignmentRequests/r1"
    "/accessPackageAssignment/accessPackageAssignmentResourceRoles/r2"
    "/accessPackageSubject/connectedOrganization/$ref"
)
LOOKUP = "/v1.0/tenantRelationships/findTenantInformationBy"


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        await graph.tenants()
        yield graph


def _reference(graph: EmulatedGraph, path: str) -> dict[str, str]:
    return {"@odata.id": f"{graph.root}/v1.0/{path}"}


@pytest.mark.parametrize("kind", ["internalSponsors", "externalSponsors"])
@pytest.mark.parametrize(
    ("path", "sponsor"),
    [
        (f"users/{USER['id']}", USER),
        (f"directoryObjects/{USER['id']}", USER),
        (f"groups/{GROUP['id']}", GROUP),
        (f"directoryObjects/{GROUP['id']}", GROUP),
        ("users/bob_contoso.example%23EXT%23@home.example", GUEST),
    ],
)
async def test_a_sponsor_is_added_listed_and_removed(
    graph: EmulatedGraph, kind: str, path: str, sponsor: dict[str, str]
) -> None:
    organization_id = await graph.create(domain("a.example"))
    sponsors = f"{ORGANIZATIONS}/{organization_id}/{kind}"
    added = await graph.call("POST", f"{sponsors}/$ref", _reference(graph, path))
    assert (added.status, added.body) == (204, "")
    [listed] = (await graph.call("GET", sponsors)).body["value"]
    assert listed.items() >= sponsor.items()
    [reference] = (await graph.call("GET", f"{sponsors}/$ref")).body["value"]
    assert reference == _reference(graph, f"directoryObjects/{sponsor['id']}")
    removed = await graph.call("DELETE", f"{sponsors}/{sponsor['id']}/$ref")
    assert removed.status == 204
    assert (await graph.call("GET", sponsors)).body["value"] == []
    again = await graph.call("DELETE", f"{sponsors}/{sponsor['id']}/$ref")
    assert (again.status, again.code) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "path", [f"users/{PARTNER_ID}", f"users/{GROUP['id']}", f"groups/{USER['id']}"]
)
async def test_a_sponsor_that_does_not_exist_is_not_found(graph: EmulatedGraph, path: str) -> None:
    organization_id = await graph.create(domain("a.example"))
    sponsors = f"{ORGANIZATIONS}/{organization_id}/internalSponsors/$ref"
    response = await graph.call("POST", sponsors, _reference(graph, path))
    assert (response.status, response.code) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "address",
    [
        "https://graph.microsoft.com/v1.0/users/{id}",
        "v1.0/users/{id}",
        "{root}/v2.0/users/{id}",
        "{root}/v1.0/servicePrincipals/{id}",
        "{root}/v1.0/users",
        None,
    ],
)
async def test_a_reference_must_be_to_a_user_or_group_of_the_same_cloud(
    graph: EmulatedGraph, address: str | None
) -> None:
    organization_id = await graph.create(domain("a.example"))
    body = {"@odata.id": address and address.format(root=graph.root, id=USER["id"])}
    sponsors = f"{ORGANIZATIONS}/{organization_id}/internalSponsors/$ref"
    response = await graph.call("POST", sponsors, body)
    assert response.status == 400
    assert response.code in {"BadRequest", "RequestBodyRead"}


async def test_a_sponsor_added_twice_is_one_sponsor_or_an_error(graph: EmulatedGraph) -> None:
    organization_id = await graph.create(domain("a.example"))
    sponsors = f"{ORGANIZATIONS}/{organization_id}/internalSponsors"
    reference = _reference(graph, f"users/{USER['id']}")
    for _ in range(2):
        assert (await graph.call("POST", f"{sponsors}/$ref", reference)).status == 204
    assert len((await graph.call("GET", sponsors)).body["value"]) == 1
    await graph.configure(repeatedSponsorStatus=400)
    response = await graph.call("POST", f"{sponsors}/$ref", reference)
    assert (response.status, response.code) == (400, "Request_BadRequest")


async def test_sponsors_of_an_unknown_organization_are_not_found(graph: EmulatedGraph) -> None:
    sponsors = f"{ORGANIZATIONS}/{PARTNER_ID}/internalSponsors/$ref"
    response = await graph.call("POST", sponsors, _reference(graph, f"users/{USER['id']}"))
    assert (response.status, response.code) == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"users/{USER['id']}", USER),
        (f"users/{USER['userPrincipalName'].upper()}", USER),
        (f"groups/{GROUP['id'].upper()}", GROUP),
    ],
)
async def test_a_user_or_group_of_the_home_tenant_is_read(
    graph: EmulatedGraph, path: str, expected: dict[str, str]
) -> None:
    response = await graph.call("GET", f"/v1.0/{path}")
    assert response.status == 200
    assert response.body.pop("@odata.context").endswith("/$entity")
    assert response.body == expected


@pytest.mark.parametrize("path", ["users/x@home.example", f"groups/{USER['id']}", "users/x"])
async def test_an_unknown_user_or_group_is_not_found(graph: EmulatedGraph, path: str) -> None:
    response = await graph.call("GET", f"/v1.0/{path}")
    assert (response.status, response.code) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "function", ["DomainName(domainName='Contoso.test')", f"TenantId(tenantId='{PARTNER_ID}')"]
)
async def test_a_tenant_is_found_by_domain_and_by_id(graph: EmulatedGraph, function: str) -> None:
    response = await graph.call("GET", LOOKUP + function)
    assert response.status == 200
    assert response.body.pop("@odata.context") == (
        f"{graph.root}/v1.0/$metadata#microsoft.graph.tenantInformation"
    )
    assert response.body == {
        "tenantId": PARTNER_ID,
        "displayName": "Contoso",
        "defaultDomainName": "contoso.example",
        "federationBrandName": None,
    }


@pytest.mark.parametrize(
    "function", ["DomainName(domainName='unknown.example')", "TenantId(tenantId='x')"]
)
async def test_an_unknown_tenant_is_not_found(graph: EmulatedGraph, function: str) -> None:
    response = await graph.call("GET", LOOKUP + function)
    assert (response.status, response.code) == (404, "Directory_ObjectNotFound")


async def test_the_home_tenant_is_known_from_the_start(graph: EmulatedGraph) -> None:
    await graph.control("DELETE", "")
    function = f"TenantId(tenantId='{tokens.HOME_TENANT_ID}')"
    assert (await graph.call("GET", LOOKUP + function)).status == 200


async def test_a_subject_takes_an_organization_as_the_document_describes_it(
    graph: EmulatedGraph,
) -> None:
    body = {
        "@odata.type": "#microsoft.graph.connectedOrganization",
        **domain("a.example"),
        "createdBy": "somebody",
        "modifiedBy": "somebody",
    }
    response = await graph.call("POST", f"/beta/{SUBJECT}", body)
    assert (response.status, response.body) == (204, "")


async def test_a_subject_takes_a_reference_to_an_organization(graph: EmulatedGraph) -> None:
    organization_id = await graph.create(domain("a.example"))
    body = {"@odata.id": f"{graph.root}{BETA_ORGANIZATIONS}/{organization_id}"}
    assert (await graph.call("PUT", f"/beta/{SUBJECT}", body)).status == 204
    await graph.call("DELETE", f"{ORGANIZATIONS}/{organization_id}")
    assert (await graph.call("PUT", f"/beta/{SUBJECT}", body)).status == 404
    elsewhere = _reference(graph, f"users/{USER['id']}")
    assert (await graph.call("PUT", f"/beta/{SUBJECT}", elsewhere)).status == 400


@pytest.mark.parametrize(
    "body", [None, {"colour": "blue"}, {"@odata.type": "#microsoft.graph.user"}]
)
async def test_a_subject_takes_nothing_else(graph: EmulatedGraph, body: Any) -> None:
    assert (await graph.call("POST", f"/beta/{SUBJECT}", body)).status == 400


async def test_a_subjects_organization_is_known_to_beta_alone(graph: EmulatedGraph) -> None:
    response = await graph.call("POST", f"/v1.0/{SUBJECT}", domain("a.example"))
    assert response.status == 404


def _item(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "method": "POST",
        "url": ORGANIZATIONS.removeprefix("/v1.0"),
        "headers": {"Content-Type": "application/json"},
        "body": domain(f"{key}.example"),
        **changes,
    }


async def _batch(graph: EmulatedGraph, *items: dict[str, Any]) -> dict[str, Any]:
    response = await graph.call("POST", "/v1.0/$batch", {"requests": list(items)})
    assert response.status == 200, response.body
    return {item["id"]: item for item in response.body["responses"]}


async def test_a_batch_answers_each_of_its_items(graph: EmulatedGraph) -> None:
    find = "displayName%20eq%20'a.example'"
    url = f"{ORGANIZATIONS.removeprefix('/v1.0')}?$filter={find}"
    answers = await _batch(
        graph,
        _item("a"),
        _item("b", body=domain("a.example")),
        _item("c", method="GET", url=url, body=None),
    )
    assert [answer["status"] for answer in answers.values()] == [201, 400, 200]
    assert answers["b"]["body"]["error"]["code"] == "IdentityProviderAlreadyConfigured"
    [found] = answers["c"]["body"]["value"]
    assert found["id"] == answers["a"]["body"]["id"]


async def test_an_item_that_depends_on_a_failed_one_fails_with_it(graph: EmulatedGraph) -> None:
    answers = await _batch(
        graph,
        _item("a", body={}),
        _item("b", dependsOn=["a"]),
        _item("c", dependsOn=["b"]),
        _item("d"),
    )
    assert [answer["status"] for answer in answers.values()] == [400, 424, 424, 201]


async def test_the_items_of_a_batch_are_throttled_one_by_one(graph: EmulatedGraph) -> None:
    await graph.configure(throttle={"requests": 1, "seconds": 100})
    answers = await _batch(graph, _item("a"), _item("b"))
    assert [answer["status"] for answer in answers.values()] == [201, 429]
    assert answers["b"]["headers"]["Retry-After"]


async def test_faults_that_answer_strike_items_of_a_batch(graph: EmulatedGraph) -> None:
    await graph.fail({"path": "connectedOrganizations", "fault": "status", "times": 1})
    answers = await _batch(graph, _item("a"), _item("b"))
    assert [answer["status"] for answer in answers.values()] == [503, 201]


@pytest.mark.parametrize(
    "requests",
    [
        None,
        [],
        [_item(str(number)) for number in range(21)],
        [_item("a"), _item("a")],
        [{"id": "a"}],
        ["a"],
    ],
)
async def test_a_batch_out_of_form_is_refused_as_a_whole(
    graph: EmulatedGraph, requests: Any
) -> None:
    response = await graph.call("POST", "/v1.0/$batch", {"requests": requests})
    assert (response.status, response.code) == (400, "BadRequest")
    assert await graph.control("GET", "organizations") == []
