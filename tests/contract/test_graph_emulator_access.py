"""The Graph emulator lets in whom Graph would, and says no in Graph's words."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from tests.contract.graph_emulator import (
    GROUP,
    ORGANIZATIONS,
    EmulatedGraph,
    Response,
    domain,
    emulated_graph,
    until,
)

LOOKUP = "/v1.0/tenantRelationships/findTenantInformationByDomainName(domainName='contoso.example')"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        yield graph


async def _with_token(graph: EmulatedGraph, path: str = ORGANIZATIONS, **claims: Any) -> Response:
    headers = {"Authorization": f"Bearer {graph.token(**claims)}"}
    return await graph.call("GET", path, headers=headers)


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer x", "Basic dTpw", "Bearer a.b.c"])
async def test_a_call_without_a_token_of_ours_is_unauthenticated(
    graph: EmulatedGraph, authorization: str
) -> None:
    response = await graph.call("GET", ORGANIZATIONS, headers={"Authorization": authorization})
    assert (response.status, response.code) == (401, "InvalidAuthenticationToken")
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"exp": time.time() - 1}, {"aud": "https://graph.microsoft.com"}]
)
async def test_a_token_that_is_expired_or_for_another_is_refused(
    graph: EmulatedGraph, claims: Mapping[str, Any]
) -> None:
    response = await _with_token(graph, **claims)
    assert (response.status, response.code) == (401, "InvalidAuthenticationToken")


async def test_the_audience_is_the_address_that_was_called(graph: EmulatedGraph) -> None:
    by_name = graph.root.replace("127.0.0.1", "localhost")
    host = {"Host": by_name.removeprefix("http://")}
    for audience, headers, status in (
        (f"{graph.root}/", {}, 200),
        (by_name, {}, 401),
        (by_name, host, 200),
        (graph.root, host, 401),
    ):
        bearer = {"Authorization": f"Bearer {graph.token(aud=audience)}"}
        response = await graph.call("GET", ORGANIZATIONS, headers=headers | bearer)
        assert response.status == status, (audience, headers)


async def test_an_unknown_path_is_not_told_to_strangers(graph: EmulatedGraph) -> None:
    response = await graph.call("GET", "/v1.0/nothing", headers={"Authorization": ""})
    assert response.status == 401


async def test_the_read_role_reads_and_does_not_write(graph: EmulatedGraph) -> None:
    await graph.configure(roles=["EntitlementManagement.Read.All"])
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200
    for method, path in (
        ("POST", ORGANIZATIONS),
        ("PATCH", f"{ORGANIZATIONS}/x"),
        ("DELETE", f"{ORGANIZATIONS}/x"),
        ("POST", f"{ORGANIZATIONS}/x/internalSponsors/$ref"),
    ):
        response = await graph.call(method, path, domain("a.example"))
        assert (response.status, response.code) == (403, "UnAuthorized"), path


async def test_a_token_without_the_role_is_not_authorized(graph: EmulatedGraph) -> None:
    response = await _with_token(graph, roles=["User.Read.All"])
    assert (response.status, response.code) == (403, "UnAuthorized")
    assert "The caller is not authorized." in response.body["error"]["message"]


async def test_what_is_granted_now_counts_more_than_what_the_token_says(
    graph: EmulatedGraph,
) -> None:
    await graph.configure(roles=[])
    assert (await graph.call("GET", ORGANIZATIONS)).code == "UnAuthorized"
    await graph.configure(roles=["EntitlementManagement.ReadWrite.All"])
    assert (await _with_token(graph, roles=[])).status == 200
    await graph.configure(roles=None)
    assert (await _with_token(graph, roles=[])).code == "UnAuthorized"


async def test_a_tenant_without_the_licence_is_told_so(graph: EmulatedGraph) -> None:
    await graph.configure(licensed=False)
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.code) == (403, "NoLicense")
    assert "license requirement" in response.body["error"]["message"]


@pytest.mark.parametrize(
    "path", [LOOKUP, "/v1.0/users/ada@home.example", f"/v1.0/groups/{GROUP['id']}"]
)
async def test_the_directory_denies_in_its_own_words_and_needs_no_licence(
    graph: EmulatedGraph, path: str
) -> None:
    await graph.tenants()
    await graph.configure(licensed=False)
    assert (await graph.call("GET", path)).status == 200
    await graph.configure(roles=["EntitlementManagement.ReadWrite.All"])
    response = await graph.call("GET", path)
    assert (response.status, response.code) == (403, "Authorization_RequestDenied")


async def test_an_error_says_how_support_finds_it(graph: EmulatedGraph) -> None:
    headers = {"client-request-id": "mine"}
    response = await graph.call("GET", f"{ORGANIZATIONS}/x", headers=headers)
    error = response.body["error"]
    assert error.keys() == {"code", "message", "innerError"}
    inner = error["innerError"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner["date"])
    assert inner["request-id"] == response.headers["request-id"]
    assert inner["client-request-id"] == response.headers["client-request-id"] == "mine"
    assert GUID.fullmatch(inner["request-id"])


async def test_every_answer_has_its_request_id_and_date(graph: EmulatedGraph) -> None:
    responses = [await graph.call("GET", ORGANIZATIONS) for _ in range(2)]
    ids = {response.headers["request-id"] for response in responses}
    assert len(ids) == 2
    for response in responses:
        assert response.headers["client-request-id"] == response.headers["request-id"]
        assert parsedate_to_datetime(response.headers["Date"])


async def test_calls_past_the_window_are_throttled_until_told_otherwise(
    graph: EmulatedGraph,
) -> None:
    await graph.configure(throttle={"requests": 2, "seconds": 100})
    responses = [await graph.call("GET", ORGANIZATIONS) for _ in range(3)]
    assert [response.status for response in responses] == [200, 200, 429]
    assert responses[2].code == "TooManyRequests"
    assert 1 <= int(responses[2].headers["Retry-After"]) <= 100
    await graph.configure(throttle=None)
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200


async def test_a_throttled_call_goes_through_after_retry_after(graph: EmulatedGraph) -> None:
    await graph.configure(throttle={"requests": 1, "seconds": 0.01})

    async def admitted() -> bool:
        return (await graph.call("GET", ORGANIZATIONS)).status == 200

    for _ in range(3):
        await until(admitted)


async def test_a_token_is_not_needed_for_control(graph: EmulatedGraph) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{graph.root}/_emulator/organizations") as response,
    ):
        assert response.status == 200
