"""Tests look into the Graph emulator, set how it behaves, and start it as a process."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.contract.graph_emulator import (
    ORGANIZATIONS,
    PARTNER_ID,
    TENANTS,
    USER,
    EmulatedGraph,
    domain,
    emulated_graph,
)


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        yield graph


async def test_every_request_is_recorded_in_order_with_its_answer(graph: EmulatedGraph) -> None:
    before = time.time()
    body = domain("a.example")
    await graph.call("POST", ORGANIZATIONS, body)
    await graph.call(
        "GET", ORGANIZATIONS.replace("v1.0", "beta"), query={"filter": "displayName eq 'a b'"}
    )
    await graph.call("GET", "/nothing")
    requests = await graph.control("GET", "requests")
    assert [set(entry) for entry in requests] == [
        {"time", "method", "path", "version", "status", "body"}
    ] * 3
    create, find, unknown = requests
    assert (create["method"], create["path"]) == ("POST", ORGANIZATIONS)
    assert (create["version"], create["status"], create["body"]) == ("v1.0", 201, body)
    assert find["path"].endswith("?$filter=displayName eq 'a b'")
    assert (find["version"], find["status"], find["body"]) == ("beta", 200, None)
    assert (unknown["version"], unknown["status"]) == (None, 404)
    times = [entry["time"] for entry in requests]
    assert before <= times[0] <= times[1] <= times[2] <= time.time()


@pytest.mark.parametrize("name", ["requests", "organizations"])
async def test_those_that_hold_a_text_are_found(graph: EmulatedGraph, name: str) -> None:
    for partner in ("a.example", "b.example"):
        await graph.create(domain(partner, displayName=f"\u00c4{partner}"))
    assert len(await graph.control("GET", name)) == 2
    [found] = await graph.control("GET", f"{name}?text=\u00c4b.exam")
    assert "b.example" in str(found)
    assert await graph.control("GET", f"{name}?text=c.example") == []


async def test_a_body_that_is_not_json_is_recorded_as_none(graph: EmulatedGraph) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(graph.root + ORGANIZATIONS, data="{", headers=graph.authorization) as response,
    ):
        assert response.status == 400
    [entry] = await graph.control("GET", "requests")
    assert (entry["body"], entry["status"]) == (None, 400)


async def test_every_organization_is_seen_with_sources_and_sponsors(graph: EmulatedGraph) -> None:
    await graph.tenants()
    await graph.configure(consistencyDelaySeconds=3600)
    organization_id = await graph.create(domain("contoso.test"))
    reference = {"@odata.id": f"{graph.root}/v1.0/users/{USER['id']}"}
    await graph.call("POST", f"{ORGANIZATIONS}/{organization_id}/internalSponsors/$ref", reference)
    [organization] = await graph.control("GET", "organizations")
    assert organization["id"] == organization_id
    assert organization["identitySources"][0]["tenantId"] == PARTNER_ID
    assert organization["internalSponsors"] == [USER["id"]]
    assert organization["externalSponsors"] == []


async def test_delete_takes_everything_back_to_the_start(graph: EmulatedGraph) -> None:
    await graph.tenants()
    await graph.configure(licensed=False, consistencyDelaySeconds=60)
    await graph.fail({"fault": "status"})
    await graph.call("POST", ORGANIZATIONS, domain("contoso.test"))
    await graph.control("DELETE", "")
    assert await graph.control("GET", "organizations") == []
    assert await graph.control("GET", "requests") == []
    organization_id = await graph.create(domain("contoso.test"))
    read = await graph.call("GET", f"{ORGANIZATIONS}/{organization_id}")
    assert read.body["identitySources"][0]["domainName"] == "contoso.test"


async def test_configuration_keeps_what_it_does_not_name(graph: EmulatedGraph) -> None:
    await graph.configure(duplicateStatus=409)
    await graph.configure(licensed=True)
    await graph.create(domain("a.example"))
    assert (await graph.call("POST", ORGANIZATIONS, domain("a.example"))).status == 409


async def test_latency_is_added_to_each_call(graph: EmulatedGraph) -> None:
    await graph.configure(latencySeconds=0.05)
    started = time.monotonic()
    await graph.call("GET", ORGANIZATIONS)
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("config", []),
        ("config", {"colour": "blue"}),
        ("config", {"duplicateStatus": "400"}),
        ("config", {"patchStatus": 418}),
        ("config", {"roles": "EntitlementManagement.ReadWrite.All"}),
        ("config", {"licensed": None}),
        ("config", {"latencySeconds": -1}),
        ("config", {"throttle": {"requests": 0, "seconds": 1}}),
        ("config", {"throttle": {"requests": 1}}),
        ("tenants", []),
        ("tenants", {}),
        ("tenants", [{"tenantId": PARTNER_ID}]),
        ("tenants", [{**TENANTS[0], "users": [{"id": "x"}]}]),
    ],
)
async def test_a_bad_control_body_is_refused_with_a_sentence(
    graph: EmulatedGraph, name: str, body: Any
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.put(f"{graph.root}/_emulator/{name}", json=body) as response,
    ):
        assert response.status == 400
        assert (await response.json())["message"]


async def test_an_unknown_control_address_is_not_taken_for_a_call_to_graph(
    graph: EmulatedGraph,
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{graph.root}/_emulator/colours") as response,
    ):
        assert response.status == 404
    assert await graph.control("GET", "requests") == []


@pytest.mark.parametrize("module", ["infra.local.graph", "infra.local.identity"])
async def test_a_server_says_where_it_is_and_ends_when_told(module: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        address = json.loads(await process.stdout.readline())["url"]
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            assert response.status in {401, 404}
    finally:
        process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
