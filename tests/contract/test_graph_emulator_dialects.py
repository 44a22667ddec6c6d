"""What nobody has published of Graph's lists, and of what can be deleted, can be set."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contract.graph_emulator import (
    GROUP,
    ORGANIZATIONS,
    USER,
    EmulatedGraph,
    domain,
    emulated_graph,
)

NAMED = {"filter": "displayName eq 'CONTOSO'"}


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        for name in ("contoso", "fabrikam", "woodgrove"):
            await graph.create(domain(f"{name}.example", displayName=name.capitalize()))
        yield graph


async def _names(graph: EmulatedGraph, **query: str) -> list[str]:
    response = await graph.call("GET", ORGANIZATIONS, query=query)
    assert response.status == 200, response.body
    return [item["displayName"] for item in response.body["value"]]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("case_sensitive", []),
        ("ignore_case", ["Contoso"]),
        ("ignored", ["Contoso", "Fabrikam", "Woodgrove"]),
        ("empty", []),
    ],
)
async def test_a_filter_is_of_the_dialect_that_is_set(
    graph: EmulatedGraph, dialect: str, expected: list[str]
) -> None:
    await graph.configure(filters=dialect)
    assert await _names(graph, **NAMED) == expected


async def test_case_is_ignored_wherever_text_is_compared(graph: EmulatedGraph) -> None:
    await graph.configure(filters="ignore_case")
    path = "is/microsoft.graph.domainIdentitySource/domainName"
    for holds in (
        "displayName in ('CONTOSO')",
        "startswith(displayName,'CON')",
        "contains(displayName,'TOSO')",
        "endswith(displayName,'OSO')",
        f"identitySources/any(is:{path} eq 'CONTOSO.EXAMPLE')",
    ):
        assert await _names(graph, filter=holds) == ["Contoso"], holds
    assert await _names(graph, filter="displayName ne 'CONTOSO'") == ["Fabrikam", "Woodgrove"]


async def test_filters_can_be_refused(graph: EmulatedGraph) -> None:
    await graph.configure(filters="refused")
    response = await graph.call("GET", ORGANIZATIONS, query=NAMED)
    assert (response.status, response.code) == (400, "InvalidFilter")
    assert len(await _names(graph)) == 3


async def test_even_an_empty_answer_is_to_a_filter_that_can_be_read(graph: EmulatedGraph) -> None:
    await graph.configure(filters="empty")
    response = await graph.call("GET", ORGANIZATIONS, query={"filter": "colour eq 'blue'"})
    assert response.status == 400


async def _pages(graph: EmulatedGraph, path: str = ORGANIZATIONS, **query: str) -> list[list[str]]:
    response = await graph.call("GET", path, query=query)
    pages = []
    while True:
        pages.append([item["displayName"] for item in response.body["value"]])
        if "@odata.nextLink" not in response.body:
            return pages
        response = await graph.call("GET", response.body["@odata.nextLink"])


async def test_a_page_can_be_small(graph: EmulatedGraph) -> None:
    await graph.configure(pageSize=2)
    assert await _pages(graph) == [["Contoso", "Fabrikam"], ["Woodgrove"]]
    backwards = [["Woodgrove", "Fabrikam"], ["Contoso"]]
    assert await _pages(graph, orderby="displayName desc") == backwards


async def test_top_is_the_size_of_a_page_or_a_limit(graph: EmulatedGraph) -> None:
    assert await _pages(graph, top="2") == [["Contoso", "Fabrikam"], ["Woodgrove"]]
    await graph.configure(top="limit")
    assert await _pages(graph, top="2") == [["Contoso", "Fabrikam"]]
    await graph.configure(pageSize=1)
    assert await _pages(graph, top="2") == [["Contoso"], ["Fabrikam"]]


async def test_an_empty_page_can_come_before_each(graph: EmulatedGraph) -> None:
    await graph.configure(emptyPages=True, pageSize=2)
    expected = [[], ["Contoso", "Fabrikam"], [], ["Woodgrove"]]
    assert await _pages(graph) == expected
    assert await _pages(graph, filter="displayName eq 'Woodgrove'") == [[], ["Woodgrove"]]
    assert await _pages(graph, skip="2") == [[], ["Woodgrove"]]
    counted = await graph.call("GET", ORGANIZATIONS, query={"count": "true"})
    assert counted.body["@odata.count"] == 3


@pytest.mark.parametrize("dialect", [{}, {"top": "limit"}, {"emptyPages": True}])
@pytest.mark.parametrize("ids", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
async def test_no_page_of_sponsors_misses_one(
    graph: EmulatedGraph, ids: tuple[int, ...], dialect: dict[str, Any]
) -> None:
    sponsors = [
        {"@odata.type": "#microsoft.graph.user", "id": f"{number}", "displayName": f"User {number}"}
        for number in ids
    ]
    await graph.control("PUT", "organizations", [{"id": "org", "internalSponsors": sponsors}])
    for size in (1, 2, 3):
        await graph.configure(**dialect, pageSize=size)
        pages = await _pages(graph, f"{ORGANIZATIONS}/org/internalSponsors")
        shown = sorted(name for page in pages for name in page)
        assert shown == ["User 1", "User 2", "User 3"]


async def test_an_organization_in_use_is_not_deleted(graph: EmulatedGraph) -> None:
    held, free, _ = (item["id"] for item in await graph.control("GET", "organizations"))
    await graph.configure(holds=[held])
    assert (await graph.call("DELETE", f"{ORGANIZATIONS}/{held}")).status == 400
    assert (await graph.call("DELETE", f"{ORGANIZATIONS}/{free}")).status == 204
    await graph.configure(holds=[])
    assert (await graph.call("DELETE", f"{ORGANIZATIONS}/{held}")).status == 204


# Organizations that are laid

LAID: dict[str, Any] = {
    "id": "any id",
    "displayName": None,
    "description": None,
    "createdDateTime": "2024-01-02T03:04:05Z",
    "modifiedDateTime": None,
    "state": "configured",
    "identitySources": [
        *domain("a.example")["identitySources"],
        *domain("b.example")["identitySources"],
    ],
    "internalSponsors@odata.context": "https://graph.example/$metadata#users",
    "internalSponsors": [
        {"@odata.type": "#microsoft.graph.group", **GROUP},
        {"@odata.type": "#microsoft.graph.user", **USER},
    ],
}


async def test_what_is_laid_is_all_that_there_is(graph: EmulatedGraph) -> None:
    await graph.control("PUT", "organizations", [LAID, {"id": "none"}])
    response = await graph.call(
        "GET", ORGANIZATIONS, query={"expand": "internalSponsors,externalSponsors"}
    )
    laid, bare = response.body["value"]
    names = ("id", "displayName", "identitySources", "modifiedDateTime")
    assert [laid[name] for name in names] == [LAID[name] for name in names]
    assert {item["id"] for item in laid["internalSponsors"]} == {USER["id"], GROUP["id"]}
    assert (laid["externalSponsors"], bare["identitySources"]) == ([], [])
    assert (await graph.call("GET", f"/v1.0/users/{USER['id']}")).status == 200


async def test_what_is_laid_later_is_added(graph: EmulatedGraph) -> None:
    made = await graph.create(domain("made.example"))
    await graph.control("POST", "organizations", [LAID])
    there = (await graph.call("GET", ORGANIZATIONS)).body["value"]
    assert {found["id"] for found in there} >= {made, LAID["id"]}


async def test_each_of_several_sources_is_found_and_taken(graph: EmulatedGraph) -> None:
    await graph.control("PUT", "organizations", [LAID])
    path = "is/microsoft.graph.domainIdentitySource/domainName"
    for name in ("a.example", "b.example"):
        found = await _names(graph, filter=f"identitySources/any(is:{path} eq '{name}')")
        assert found == [None]
        again = await graph.call("POST", ORGANIZATIONS, domain(name))
        assert again.code == "IdentityProviderAlreadyConfigured"


async def test_what_is_laid_can_be_read_changed_and_deleted(graph: EmulatedGraph) -> None:
    await graph.control("PUT", "organizations", [LAID])
    address = f"{ORGANIZATIONS}/any%20id"
    assert (await graph.call("PATCH", address, {"displayName": "Named"})).status == 204
    assert (await graph.call("GET", address)).body["displayName"] == "Named"
    assert (await graph.call("DELETE", address)).status == 204
    await graph.create(domain("a.example"))


@pytest.mark.parametrize("body", [{}, [{}], [{"id": 5}], [{"id": "a", "colour": "blue"}]])
async def test_what_is_no_organization_is_not_laid(graph: EmulatedGraph, body: Any) -> None:
    with pytest.raises(AssertionError, match="message"):
        await graph.control("PUT", "organizations", body)


# Answers as they are


async def test_a_raw_answer_goes_out_as_it_is(graph: EmulatedGraph) -> None:
    headers = {"Retry-After": "0", "Content-Type": "text/html"}
    rule = {"fault": "raw", "status": 418, "headers": headers, "body": "<b>", "method": "POST"}
    await graph.fail(rule)
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.body) == (418, "<b>")
    assert {name: response.headers[name] for name in headers} == headers
    assert len(await _names(graph)) == 3


async def test_a_call_can_be_carried_out_before_a_raw_answer(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "raw", "status": 400, "body": "{}", "commit": True, "times": 1})
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.body) == (400, {})
    assert len(await _names(graph)) == 4
