"""The Graph emulator fails in the ways that networks and Microsoft Graph do, as often as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.contract.graph_emulator import (
    ORGANIZATIONS,
    EmulatedGraph,
    domain,
    emulated_graph,
    until,
)

CREATE = {"method": "POST", "path": "connectedOrganizations"}


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        yield graph


async def _create_on_a_socket(graph: EmulatedGraph) -> bytes:
    """What the connection gives until its end, which only a socket tells apart from a reset."""
    address = urlsplit(graph.root)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    body = json.dumps(domain("a.example"))
    writer.write(
        f"POST {ORGANIZATIONS} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {graph.authorization['Authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    try:
        return await reader.read()
    finally:
        writer.close()


async def _stored(graph: EmulatedGraph) -> int:
    return len(await graph.control("GET", "organizations"))


async def _statuses(graph: EmulatedGraph) -> list[int | None]:
    return [entry["status"] for entry in await graph.control("GET", "requests")]


async def test_a_status_comes_in_graphs_envelope(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "status", "status": 500, "code": "Broken", "retryAfter": 7})
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.code) == (500, "Broken")
    assert response.headers["Retry-After"] == "7"
    assert await _stored(graph) == 0


async def test_a_status_has_graphs_usual_code_and_no_retry_after(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "status", "status": 504})
    response = await graph.call("GET", ORGANIZATIONS)
    assert (response.status, response.code) == (504, "GatewayTimeout")
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(
    ("given", "sent"),
    [(5, "5"), (1.5, "1.5"), ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT")],
)
async def test_throttling_sends_retry_after_as_it_was_given(
    graph: EmulatedGraph, given: Any, sent: str
) -> None:
    await graph.fail({"fault": "throttle", "retryAfter": given})
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.code) == (429, "TooManyRequests")
    assert response.headers["Retry-After"] == sent
    assert await _stored(graph) == 0


async def test_html_comes_where_json_was_expected(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "html", "status": 502})
    response = await graph.call("GET", ORGANIZATIONS)
    assert response.status == 502
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<html>" in response.body


async def test_a_reset_comes_before_anything_is_done(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "reset"})
    with pytest.raises(ConnectionResetError):
        await _create_on_a_socket(graph)
    assert await _stored(graph) == 0
    assert await _statuses(graph) == [None]


async def test_a_close_is_orderly_and_without_an_answer(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "close"})
    assert await _create_on_a_socket(graph) == b""
    assert await _stored(graph) == 0
    assert await _statuses(graph) == [None]


async def test_a_commit_can_be_followed_by_a_reset(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "commit_then_reset"})
    with pytest.raises(ConnectionResetError):
        await _create_on_a_socket(graph)
    assert await _stored(graph) == 1
    assert await _statuses(graph) == [None]


async def test_a_commit_can_be_followed_by_an_error(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "commit_then_status"})
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert (response.status, response.code) == (503, "ServiceUnavailable")
    assert await _stored(graph) == 1
    assert await _statuses(graph) == [503]


async def test_a_hanging_call_commits_nothing_and_holds_up_nobody(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "hang", "times": 1})
    hanging = asyncio.create_task(_create_on_a_socket(graph))
    await until(lambda: _statuses(graph))
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200
    assert not hanging.done()
    assert await _statuses(graph) == [None, 200]
    await graph.control("DELETE", "")  # lets go of it
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(hanging, 30)
    assert await _stored(graph) == 0


async def test_a_hanging_call_ends_in_a_reset_when_its_time_is_over(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "hang", "seconds": 0})
    with pytest.raises(ConnectionResetError):
        await _create_on_a_socket(graph)
    assert await _stored(graph) == 0


async def test_a_hanging_call_does_not_keep_the_emulator_from_ending() -> None:
    async with asyncio.timeout(30), emulated_graph() as graph:
        await graph.fail({"fault": "hang"})
        hanging = asyncio.create_task(_create_on_a_socket(graph))
        await until(lambda: _statuses(graph))
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(hanging, 30)


async def test_a_call_given_up_by_its_caller_is_carried_out_all_the_same(
    graph: EmulatedGraph,
) -> None:
    await graph.fail({"fault": "delay", "seconds": 1})
    call = asyncio.create_task(_create_on_a_socket(graph))
    await until(lambda: _statuses(graph))
    call.cancel()
    await asyncio.wait([call])
    await until(lambda: _stored(graph))


async def test_a_delayed_call_is_answered_as_usual(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "delay", "seconds": 0.01})
    response = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert response.status == 201


async def test_a_rule_is_spent_after_its_times(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "status", "times": 2})
    statuses = [(await graph.call("GET", ORGANIZATIONS)).status for _ in range(4)]
    assert statuses == [503, 503, 200, 200]


async def test_the_first_rule_that_matches_is_used(graph: EmulatedGraph) -> None:
    await graph.fail(
        {"fault": "status", "status": 500, "times": 1},
        {"fault": "status", "status": 502, "times": 1},
    )
    statuses = [(await graph.call("GET", ORGANIZATIONS)).status for _ in range(3)]
    assert statuses == [500, 502, 200]


async def test_a_rule_for_a_method_and_a_path_leaves_other_calls_alone(
    graph: EmulatedGraph,
) -> None:
    await graph.fail({**CREATE, "fault": "status"})
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200
    assert (await graph.call("POST", ORGANIZATIONS, domain("a.example"))).status == 503
    await graph.fail({"method": "get", "path": r"\$filter=displayName eq 'a b'", "fault": "status"})
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200
    filtered = await graph.call("GET", ORGANIZATIONS, query={"filter": "displayName eq 'a b'"})
    assert filtered.status == 503


async def test_a_rule_for_a_body_leaves_other_calls_alone(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "status", "body": r'"domainName":"a\.example"'})
    assert (await graph.call("POST", ORGANIZATIONS, domain("b.example"))).status == 201
    assert (await graph.call("POST", ORGANIZATIONS, domain("a.example"))).status == 503
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200


async def test_a_probability_strikes_the_same_calls_for_the_same_seed(graph: EmulatedGraph) -> None:
    runs = []
    for seed in (1, 1, 2):
        await graph.fail({"fault": "status", "probability": 0.5, "seed": seed})
        runs.append([(await graph.call("GET", ORGANIZATIONS)).status for _ in range(30)])
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 503}


async def test_no_rules_mean_no_faults(graph: EmulatedGraph) -> None:
    await graph.fail({"fault": "status"})
    await graph.fail()
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"fault": "status"}, "list"),
        ([{}], "fault"),
        (["status"], "0"),
        ([{"fault": "explode"}], "fault"),
        ([{"fault": "status", "path": "("}], "path"),
        ([{"fault": "status", "body": "("}], "body"),
        ([{"fault": "status", "status": 99}], "status"),
        ([{"fault": "status", "times": 0}], "times"),
        ([{"fault": "status", "probability": 2}], "probability"),
        ([{"fault": "status", "seconds": -1}], "seconds"),
        ([{"fault": "status", "colour": "blue"}], "colour"),
        ([{"fault": "status", "retryAfter": []}], "retryAfter"),
    ],
)
async def test_a_bad_rule_is_refused_with_a_sentence_and_changes_nothing(
    graph: EmulatedGraph, rules: Any, named: str
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.put(f"{graph.root}/_emulator/faults", json=rules) as response,
    ):
        assert response.status == 400
        assert named in (await response.json())["message"]
    assert (await graph.call("GET", ORGANIZATIONS)).status == 200
