"""The Graph emulator keeps connected organizations as Microsoft Graph does."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.local import tokens
from infra.local.graph.organizations import timestamp
from tests.contract.graph_emulator import (
    BETA_ORGANIZATIONS,
    ORGANIZATIONS,
    PARTNER_ID,
    EmulatedGraph,
    cross_cloud,
    domain,
    emulated_graph,
    federation,
    tenant,
)

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z")


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        yield graph


async def test_a_created_organization_is_answered_without_its_sources(graph: EmulatedGraph) -> None:
    response = await graph.call("POST", ORGANIZATIONS, domain("partner.example"))
    assert response.status == 201
    body = response.body
    assert body["@odata.context"] == (
        f"{graph.root}/v1.0/$metadata#identityGovernance/entitlementManagement"
        "/connectedOrganizations/$entity"
    )
    assert body["identitySources"] == []
    assert body["displayName"] == "partner.example"
    assert body["description"] == "The partner partner.example"
    assert body["state"] == "configured"
    assert TIMESTAMP.fullmatch(body["createdDateTime"])
    assert body["modifiedDateTime"] == body["createdDateTime"]
    assert not {"createdBy", "modifiedBy"} & body.keys()


async def test_a_created_organization_is_read_with_its_source(graph: EmulatedGraph) -> None:
    organization_id = await graph.create(domain("partner.example"))
    response = await graph.call("GET", f"{ORGANIZATIONS}/{organization_id}")
    assert response.status == 200
    assert response.body["id"] == organization_id
    assert response.body["@odata.context"].endswith("/connectedOrganizations/$entity")
    assert response.body["identitySources"] == [
        {
            "@odata.type": "#microsoft.graph.domainIdentitySource",
            "displayName": "partner.example",
            "domainName": "partner.example",
        }
    ]


async def test_the_collection_may_end_in_a_slash(graph: EmulatedGraph) -> None:
    created = await graph.call("POST", f"{ORGANIZATIONS}/", domain("partner.example"))
    listed = await graph.call("GET", f"{ORGANIZATIONS}/")
    assert created.status == 201
    assert [item["id"] for item in listed.body["value"]] == [created.body["id"]]


async def test_beta_says_who_created_and_modified(graph: EmulatedGraph) -> None:
    created = await graph.call("POST", BETA_ORGANIZATIONS, domain("partner.example"))
    assert created.body["createdBy"] == created.body["modifiedBy"] == tokens.APP_ID
    assert created.body["@odata.context"].startswith(f"{graph.root}/beta/$metadata#")


async def test_a_domain_of_a_known_tenant_is_read_back_as_that_tenant(graph: EmulatedGraph) -> None:
    await graph.tenants()
    organization_id = await graph.create(domain("Contoso.test"))
    response = await graph.call("GET", f"{ORGANIZATIONS}/{organization_id}")
    assert response.body["identitySources"] == [
        {
            "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
            "displayName": "Contoso",
            "tenantId": PARTNER_ID,
        }
    ]


@pytest.mark.parametrize(
    "body",
    [
        tenant(PARTNER_ID),
        federation("partner.example"),
        cross_cloud(PARTNER_ID, "microsoftonline.us"),
    ],
)
async def test_each_kind_of_source_is_read_back_as_it_was_given(
    graph: EmulatedGraph, body: dict[str, Any]
) -> None:
    organization_id = await graph.create(body)
    response = await graph.call("GET", f"{ORGANIZATIONS}/{organization_id}")
    assert response.body["identitySources"] == body["identitySources"]


async def test_a_type_may_be_named_without_its_hash(graph: EmulatedGraph) -> None:
    body = domain("partner.example")
    body["@odata.type"] = "microsoft.graph.connectedOrganization"
    body["identitySources"][0]["@odata.type"] = "microsoft.graph.domainIdentitySource"
    organization_id = await graph.create(body)
    response = await graph.call("GET", f"{ORGANIZATIONS}/{organization_id}")
    [source] = response.body["identitySources"]
    assert source["@odata.type"] == "#microsoft.graph.domainIdentitySource"


async def test_a_new_organization_is_configured_unless_told_otherwise(graph: EmulatedGraph) -> None:
    unsaid = domain("unsaid.example")
    del unsaid["state"]
    for body, state in (
        (unsaid, "configured"),
        (domain("proposed.example", state="proposed"), "proposed"),
    ):
        response = await graph.call("POST", ORGANIZATIONS, body)
        assert response.body["state"] == state


def _source(**properties: Any) -> dict[str, Any]:
    return domain("x.example", identitySources=[properties])


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        domain("x.example", displayName=None),
        domain("x.example", displayName=" "),
        domain("x.example", displayName=7),
        domain("x.example", description=None),
        domain("x.example", state="unknownFutureValue"),
        domain("x.example", state=None),
        domain("x.example", identitySources=[]),
        domain("x.example", identitySources=domain("x.example")["identitySources"] * 2),
        domain("x.example", identitySources=None),
        domain("x.example", identitySources=["x.example"]),
        domain("x.example", createdBy="somebody"),
        domain("x.example", colour="blue"),
        {**domain("x.example"), "@odata.type": "#microsoft.graph.user"},
        _source(domainName="x.example"),
        _source(**{"@odata.type": "#microsoft.graph.identitySource"}),
        _source(
            **{
                "@odata.type": "#microsoft.graph.socialIdentitySource",
                "socialIdentitySourceType": "facebook",
            }
        ),
        _source(**{"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": None}),
        _source(
            **{
                "@odata.type": "#microsoft.graph.domainIdentitySource",
                "domainName": "x.example",
                "tenantId": PARTNER_ID,
            }
        ),
        tenant("not-a-guid"),
        cross_cloud(PARTNER_ID, "example.com"),
        _source(
            **{
                "@odata.type": "#microsoft.graph.externalDomainFederation",
                "domainName": "x.example",
            }
        ),
    ],
)
async def test_a_body_that_the_metadata_does_not_allow_is_refused(
    graph: EmulatedGraph, body: Any
) -> None:
    response = await graph.call("POST", ORGANIZATIONS, body)
    assert response.status == 400
    assert response.code in {"BadRequest", "RequestBodyRead"}
    assert await graph.control("GET", "organizations") == []


@pytest.mark.parametrize(
    "more", [{"internalSponsors": []}, {"id": PARTNER_ID}, {"domainName": "x.example"}]
)
async def test_what_graph_makes_of_more_in_a_body_is_not_known(
    graph: EmulatedGraph, more: dict[str, Any]
) -> None:
    body = domain("x.example", **more)
    response = await graph.call("POST", ORGANIZATIONS, body)
    assert (response.status, response.code) == (501, "NotEmulated")


async def test_a_body_must_be_json_and_say_so(graph: EmulatedGraph) -> None:
    headers = {"Content-Type": "text/plain"}
    response = await graph.call("POST", ORGANIZATIONS, domain("x.example"), headers=headers)
    assert (response.status, response.code) == (400, "RequestBodyRead")


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (tenant(PARTNER_ID), tenant(PARTNER_ID.upper()), "ConnectedOrganizationAlreadyExists"),
        (tenant(PARTNER_ID), domain("contoso.test"), "ConnectedOrganizationAlreadyExists"),
        (domain("contoso.test"), tenant(PARTNER_ID), "ConnectedOrganizationAlreadyExists"),
        (
            domain("contoso.test"),
            domain("contoso.example"),
            "ConnectedOrganizationAlreadyExists",
        ),
        (domain("a.example"), domain("A.example"), "IdentityProviderAlreadyConfigured"),
        (federation("a.example"), federation("a.example"), "IdentityProviderAlreadyConfigured"),
        (
            cross_cloud(PARTNER_ID, "microsoftonline.us"),
            cross_cloud(PARTNER_ID, "microsoftonline.us"),
            "ConnectedOrganizationAlreadyExists",
        ),
    ],
)
async def test_a_second_organization_for_the_same_source_is_refused(
    graph: EmulatedGraph, first: dict[str, Any], second: dict[str, Any], code: str
) -> None:
    await graph.tenants()
    await graph.create(first)
    response = await graph.call("POST", ORGANIZATIONS, second | {"displayName": "Other"})
    assert (response.status, response.code) == (400, code)
    assert len(await graph.control("GET", "organizations")) == 1


async def test_the_status_of_a_refused_duplicate_can_be_set(graph: EmulatedGraph) -> None:
    await graph.configure(duplicateStatus=409)
    await graph.create(domain("a.example"))
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.code) == (409, "IdentityProviderAlreadyConfigured")


async def test_a_display_name_may_be_used_twice_unless_told_otherwise(graph: EmulatedGraph) -> None:
    await graph.create(domain("a.example", displayName="Partner"))
    await graph.create(domain("b.example", displayName="Partner"))
    await graph.configure(uniqueDisplayNames=True)
    body = domain("c.example", displayName="partner")
    response = await graph.call("POST", ORGANIZATIONS, body)
    assert (response.status, response.code) == (400, "ConnectedOrganizationAlreadyExists")


async def test_no_organization_is_created_past_the_limit(graph: EmulatedGraph) -> None:
    await graph.configure(organizationLimit=1)
    await graph.create(domain("a.example"))
    response = await graph.call("POST", ORGANIZATIONS, domain("b.example"))
    assert (response.status, response.code) == (403, "QuotaExceeded")


@pytest.mark.slow
async def test_a_tenant_holds_2500_organizations(graph: EmulatedGraph) -> None:
    for number in range(2500):
        await graph.create(domain(f"{number}.example"))
    response = await graph.call("POST", ORGANIZATIONS, domain("one-more.example"))
    assert (response.status, response.code) == (403, "QuotaExceeded")


async def test_an_update_changes_what_it_names_and_answers_nothing(graph: EmulatedGraph) -> None:
    organization_id = await graph.create(domain("a.example"))
    address = f"{ORGANIZATIONS}/{organization_id}"
    changes = {"displayName": "Renamed", "state": "proposed"}
    response = await graph.call("PATCH", address, changes)
    assert (response.status, response.body) == (204, "")
    read = (await graph.call("GET", address)).body
    assert (read["displayName"], read["state"]) == ("Renamed", "proposed")
    assert read["description"] == "The partner a.example"
    assert read["modifiedDateTime"] != read["createdDateTime"]


@pytest.mark.parametrize("status", [200, 202])
async def test_an_update_can_answer_as_the_documents_say(graph: EmulatedGraph, status: int) -> None:
    await graph.configure(patchStatus=status)
    organization_id = await graph.create(domain("a.example"))
    address = f"{ORGANIZATIONS}/{organization_id}"
    response = await graph.call("PATCH", address, {"description": "New"})
    assert response.status == status
    assert (response.body["id"], response.body["description"]) == (organization_id, "New")


@pytest.mark.parametrize(
    "changes",
    [
        {"displayName": None},
        {"state": "unknown"},
        {"colour": "blue"},
        None,
    ],
)
async def test_an_update_of_what_cannot_be_changed_is_refused(
    graph: EmulatedGraph, changes: Any
) -> None:
    organization_id = await graph.create(domain("a.example"))
    response = await graph.call("PATCH", f"{ORGANIZATIONS}/{organization_id}", changes)
    assert response.status == 400
    assert response.code in {"BadRequest", "RequestBodyRead"}


@pytest.mark.parametrize(
    "changes", [{"identitySources": []}, {"id": "x"}, {"createdDateTime": None}]
)
async def test_what_graph_makes_of_other_changes_is_not_known(
    graph: EmulatedGraph, changes: dict[str, Any]
) -> None:
    address = f"{ORGANIZATIONS}/{await graph.create(domain('a.example'))}"
    response = await graph.call("PATCH", address, changes)
    assert (response.status, response.code) == (501, "NotEmulated")


async def test_a_deleted_source_can_be_connected_again_at_once(graph: EmulatedGraph) -> None:
    organization_id = await graph.create(tenant(PARTNER_ID))
    deleted = await graph.call("DELETE", f"{ORGANIZATIONS}/{organization_id}")
    assert (deleted.status, deleted.body) == (204, "")
    assert await graph.create(tenant(PARTNER_ID)) != organization_id


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_organization_is_not_found(graph: EmulatedGraph, method: str) -> None:
    address = f"{ORGANIZATIONS}/{PARTNER_ID}"
    response = await graph.call(method, address, {"state": "proposed"})
    assert (response.status, response.code) == (404, "ResourceNotFound")


@pytest.mark.parametrize("path", ["/v1.0/nothing", "/v2.0/users", "/", f"{ORGANIZATIONS}/a/b/c"])
async def test_an_unknown_path_is_not_found(graph: EmulatedGraph, path: str) -> None:
    response = await graph.call("GET", path)
    assert (response.status, response.code) == (404, "ResourceNotFound")


async def test_a_method_that_a_path_does_not_have_is_refused(graph: EmulatedGraph) -> None:
    response = await graph.call("PUT", ORGANIZATIONS)
    assert response.status == 405


async def test_a_new_organization_is_refused_as_a_duplicate_before_it_is_read(
    graph: EmulatedGraph,
) -> None:
    await graph.configure(consistencyDelaySeconds=3600)
    organization_id = await graph.create(domain("a.example"))
    address = f"{ORGANIZATIONS}/{organization_id}"
    assert (await graph.call("GET", address)).status == 404
    assert (await graph.call("GET", f"{address}/internalSponsors")).status == 404
    listed = await graph.call("GET", ORGANIZATIONS)
    found = await graph.call("GET", ORGANIZATIONS, query={"filter": "displayName eq 'a.example'"})
    assert (listed.body["value"], found.body["value"]) == ([], [])
    again = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert again.code == "IdentityProviderAlreadyConfigured"
    await graph.configure(consistencyDelaySeconds=0)
    assert (await graph.call("GET", address)).status == 200


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        (6_051_923, "2024-10-29T21:55:39.6051923Z"),
        (6_051_900, "2024-10-29T21:55:39.60519Z"),
        (0, "2024-10-29T21:55:39Z"),
        (1, "2024-10-29T21:55:39.0000001Z"),
    ],
)
def test_timestamps_have_seven_digits_without_trailing_zeros(ticks: int, expected: str) -> None:
    assert timestamp((1_730_238_939 * 10_000_000 + ticks) * 100) == expected
