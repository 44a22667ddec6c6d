"""The Graph emulator lists, filters, pages and shapes connected organizations with OData."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contract.graph_emulator import (
    GROUP,
    ORGANIZATIONS,
    PARTNER_ID,
    USER,
    EmulatedGraph,
    cross_cloud,
    domain,
    emulated_graph,
    federation,
    tenant,
)

ANY = "identitySources/any(is:is/microsoft.graph.{}/{} eq '{}')"


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        yield graph


async def _names(graph: EmulatedGraph, **query: str) -> list[str]:
    response = await graph.call("GET", ORGANIZATIONS, query=query)
    assert response.status == 200, response.body
    return [item["displayName"] for item in response.body["value"]]


async def test_a_list_has_the_collections_context_and_the_oldest_first(
    graph: EmulatedGraph,
) -> None:
    for name in ("b.example", "a.example"):
        await graph.create(domain(name))
    response = await graph.call("GET", ORGANIZATIONS)
    assert response.body.keys() == {"@odata.context", "value"}
    assert response.body["@odata.context"].endswith("entitlementManagement/connectedOrganizations")
    assert [item["displayName"] for item in response.body["value"]] == ["b.example", "a.example"]


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("displayName eq 'It''s'", ["It's"]),
        ("displayName eq 'it''S'", []),
        ("displayName eq 'it'", []),
        ("state eq 'proposed'", ["proposed"]),
        ("state eq 'proposed' and displayName eq 'proposed'", ["proposed"]),
        ("state eq 'proposed' and displayName eq 'It''s'", []),
        ("displayName eq ' and '", [" and "]),
        (ANY.format("domainIdentitySource", "domainName", "a.example"), ["It's"]),
        (ANY.format("domainIdentitySource", "domainName", "A.example"), []),
        (ANY.format("azureActiveDirectoryTenant", "tenantId", PARTNER_ID), ["tenant"]),
        (
            ANY.format("crossCloudAzureActiveDirectoryTenant", "tenantId", PARTNER_ID),
            ["cross-cloud"],
        ),
        (
            ANY.format("crossCloudAzureActiveDirectoryTenant", "cloudInstance", "x")
            + " and state eq 'configured'",
            [],
        ),
        (ANY.format("externalDomainFederation", "domainName", "a.example"), ["federation"]),
        (
            ANY.format("domainIdentitySource", "domainName", "b.example").replace("is:is/", "x:x/"),
            ["proposed"],
        ),
    ],
)
async def test_a_filter_finds_what_it_says(
    graph: EmulatedGraph, predicate: str, expected: list[str]
) -> None:
    for body in (
        domain("a.example", displayName="It's"),
        domain("b.example", displayName="proposed", state="proposed"),
        domain("c.example", displayName=" and "),
        tenant(PARTNER_ID, displayName="tenant"),
        cross_cloud(PARTNER_ID, "microsoftonline.us", displayName="cross-cloud"),
        federation("a.example", displayName="federation"),
    ):
        await graph.create(body)
    assert await _names(graph, filter=predicate) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "displayName eq 'it's'"},
        {"filter": "displayName eq a"},
        {"filter": ""},
        {"filter": "state eq 'proposed' and "},
        {"filter": ANY.format("domainIdentitySource", "tenantId", "x")},
        {"filter": "identitySources/any(a:b/microsoft.graph.domainIdentitySource/x eq 'y')"},
        {"top": "1000"},
        {"top": "many"},
        {"skiptoken": "mine"},
        {"orderby": "colour"},
        {"select": "colour"},
        {"expand": "identitySources"},
    ],
)
async def test_a_query_that_is_not_understood_is_refused(
    graph: EmulatedGraph, query: dict[str, str]
) -> None:
    await graph.create(domain("a.example"))
    response = await graph.call("GET", ORGANIZATIONS, query=query)
    assert (response.status, response.code) == (400, "BadRequest")


async def test_a_filter_may_come_percent_encoded_or_with_plus_signs(graph: EmulatedGraph) -> None:
    await graph.create(domain("a.example", displayName="A & B + C"))
    for query in (
        "%24filter=displayName%20eq%20%27A%20%26%20B%20%2B%20C%27",
        "$filter=displayName+eq+'A+%26+B+%2B+C'",
    ):
        response = await graph.call("GET", f"{ORGANIZATIONS}?{query}")
        assert len(response.body["value"]) == 1, query


async def test_pages_are_followed_to_the_end_even_when_organizations_go(
    graph: EmulatedGraph,
) -> None:
    ids = [await graph.create(domain(f"{name}.example")) for name in "abcde"]
    seen = []
    response = await graph.call(
        "GET", ORGANIZATIONS, query={"top": "2", "filter": "state eq 'configured'"}
    )
    await graph.call("DELETE", f"{ORGANIZATIONS}/{ids[0]}")
    while True:
        seen.append([item["id"] for item in response.body["value"]])
        if "@odata.nextLink" not in response.body:
            break
        response = await graph.call("GET", response.body["@odata.nextLink"])
    assert seen == [ids[:2], ids[2:4], ids[4:]]


async def test_a_next_link_keeps_the_other_options_and_the_version(graph: EmulatedGraph) -> None:
    for name in ("a & b", "c"):
        await graph.create(domain(f"{name}.example", displayName="A & 'B'"))
    response = await graph.call(
        "GET",
        ORGANIZATIONS.replace("v1.0", "beta"),
        query={"filter": "displayName eq 'A & ''B'''", "select": "id", "top": "1"},
    )
    link = response.body["@odata.nextLink"]
    assert link.startswith(f"{graph.root}/beta/identityGovernance/")
    following = await graph.call("GET", link)
    assert [item.keys() for item in following.body["value"]] == [{"id"}]
    assert "@odata.nextLink" not in following.body


async def test_a_page_has_100_organizations_unless_asked_otherwise(graph: EmulatedGraph) -> None:
    for number in range(101):
        await graph.create(domain(f"{number}.example"))
    assert len(await _names(graph)) == 100
    assert len(await _names(graph, top="999")) == 101


async def test_a_count_is_of_all_that_match_not_of_the_page(graph: EmulatedGraph) -> None:
    for name in ("a", "b", "c"):
        await graph.create(domain(f"{name}.example"))
    await graph.create(domain("d.example", state="proposed"))
    query = {"count": "true", "top": "1", "filter": "state eq 'configured'"}
    response = await graph.call("GET", ORGANIZATIONS, query=query)
    assert response.body["@odata.count"] == 3
    following = await graph.call("GET", response.body["@odata.nextLink"])
    assert following.body["@odata.count"] == 3


async def test_select_shows_what_it_names(graph: EmulatedGraph) -> None:
    organization_id = await graph.create(domain("a.example"))
    query = {"select": "id,displayName"}
    listed = await graph.call("GET", ORGANIZATIONS, query=query)
    assert listed.body["value"] == [{"id": organization_id, "displayName": "a.example"}]
    read = await graph.call("GET", f"{ORGANIZATIONS}/{organization_id}", query=query)
    assert read.body["@odata.context"].endswith("(id,displayName)/$entity")
    assert read.body.keys() == {"@odata.context", "id", "displayName"}


async def test_expand_shows_the_sponsors_with_their_types(graph: EmulatedGraph) -> None:
    await graph.tenants()
    organization_id = await graph.create(domain("a.example"))
    address = f"{ORGANIZATIONS}/{organization_id}"
    for kind, target in (
        ("internalSponsors", f"users/{USER['id']}"),
        ("externalSponsors", f"groups/{GROUP['id']}"),
    ):
        reference = {"@odata.id": f"{graph.root}/v1.0/{target}"}
        await graph.call("POST", f"{address}/{kind}/$ref", reference)
    expected: dict[str, Any] = {
        "internalSponsors": [{"@odata.type": "#microsoft.graph.user", **USER}],
        "externalSponsors": [{"@odata.type": "#microsoft.graph.group", **GROUP}],
    }
    query = {"expand": "internalSponsors,externalSponsors"}
    read = (await graph.call("GET", address, query=query)).body
    [listed] = (await graph.call("GET", ORGANIZATIONS, query=query)).body["value"]
    for kind, sponsors in expected.items():
        assert read[kind] == listed[kind] == sponsors
    assert "internalSponsors" not in (await graph.call("GET", address)).body


LOOKUP = f"/v1.0/tenantRelationships/findTenantInformationByTenantId(tenantId='{PARTNER_ID}')"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (ORGANIZATIONS, {"search": "x"}),
        (ORGANIZATIONS, {"apply": "groupby((state))"}),
        (ORGANIZATIONS, {"filter": "concat(displayName,'x') eq 'ax'"}),
        (ORGANIZATIONS, {"filter": "length(displayName) add 1 eq 2"}),
        (ORGANIZATIONS, {"orderby": "indexof(displayName,'a')"}),
        (ORGANIZATIONS, {"expand": "internalSponsors/$ref"}),
        (ORGANIZATIONS, {"format": "application/json;odata.metadata=full"}),
        (LOOKUP, {"select": "tenantId"}),
        (f"/v1.0/users/{USER['id']}", {"select": "mail"}),
        ("/v1.0/users", {}),
        ("/v1.0/organization", {}),
        ("/v1.0/identityGovernance/entitlementManagement/accessPackages", {}),
    ],
)
async def test_what_is_not_emulated_is_not_answered(
    graph: EmulatedGraph, path: str, query: dict[str, str]
) -> None:
    await graph.tenants()
    response = await graph.call("GET", path, query=query)
    assert (response.status, response.code) == (501, "NotEmulated")


async def test_a_filter_in_expand_is_refused_even_where_nothing_is_shown(
    graph: EmulatedGraph,
) -> None:
    query = {"expand": "internalSponsors($filter=id eq 5)"}
    response = await graph.call("GET", ORGANIZATIONS, query=query)
    assert (response.status, response.code) == (400, "BadRequest")
