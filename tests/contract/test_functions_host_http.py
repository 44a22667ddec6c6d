"""HTTP triggers of the local Functions host: real requests, real worker."""

import base64
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict
from yarl import URL

from infra.local.functions_host import DEFAULT_FUNCTION_KEY, DEFAULT_MASTER_KEY
from tests.contract.functions_host import Host, eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def host(storage: str) -> Iterator[Host]:
    with Host(storage) as host:
        yield host


@pytest.fixture
async def client(host: Host) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"{host.url}/api/") as client:
        yield client


async def echo(client: aiohttp.ClientSession, **request: Any) -> Any:
    async with client.request(request.pop("method", "POST"), "echo", **request) as response:
        return await response.json()


async def get(client: aiohttp.ClientSession, path: str, **request: Any) -> tuple[int, bytes]:
    async with client.get(path, **request) as response:
        return response.status, await response.read()


# Which function


async def test_the_first_function_by_name_ignoring_case_wins_over_a_literal_route(
    client: aiohttp.ClientSession,
) -> None:
    # "b_parameter" comes before "C_literal" only if case does not count.
    assert await get(client, "order/literal") == (200, b"parameter literal")


async def test_routes_match_ignoring_case(client: aiohttp.ClientSession) -> None:
    assert await get(client, "ORDER/Seven") == (200, b"parameter Seven")


async def test_a_wrong_method_is_not_found(client: aiohttp.ClientSession) -> None:
    assert await get(client, "only-post") == (404, b"")
    async with client.post("only-post") as response:
        assert response.status == 200


async def test_a_route_outside_of_the_prefix_is_not_found(host: Host) -> None:
    async with aiohttp.request("GET", f"{host.url}/echo") as response:
        assert (response.status, await response.read()) == (404, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_function_without_methods_gets_them_all(
    client: aiohttp.ClientSession, method: str
) -> None:
    assert (await echo(client, method=method))["method"] == method


async def test_head_is_answered_without_a_body(client: aiohttp.ClientSession) -> None:
    async with client.head("order/1") as response:
        assert response.status == 200
        assert await response.read() == b""


async def test_route_parameters_arrive_decoded_but_for_a_slash(host: Host) -> None:
    address = URL(f"{host.url}/api/echo/a%20b%2Fc", encoded=True)
    async with aiohttp.request("GET", address) as response:
        assert (await response.json())["route"] == {"rest": "a b%2Fc"}


async def test_a_missing_optional_route_parameter_is_left_out(
    client: aiohttp.ClientSession,
) -> None:
    assert (await echo(client))["route"] == {}


# Keys


@pytest.mark.parametrize(
    ("level", "key", "status"),
    [
        ("function", DEFAULT_FUNCTION_KEY, 200),
        ("function", DEFAULT_MASTER_KEY, 200),
        ("function", "wrong", 401),
        ("function", "", 401),
        ("admin", DEFAULT_MASTER_KEY, 200),
        ("admin", DEFAULT_FUNCTION_KEY, 401),
    ],
)
async def test_a_level_asks_for_its_key_in_the_header_or_the_query(
    client: aiohttp.ClientSession, level: str, key: str, status: int
) -> None:
    body = b"open" if status == 200 else b""
    assert await get(client, f"level/{level}", headers={"x-functions-key": key}) == (status, body)
    assert await get(client, f"level/{level}", params={"code": key}) == (status, body)


async def test_no_key_is_refused_with_an_empty_body(client: aiohttp.ClientSession) -> None:
    assert await get(client, "level/function") == (401, b"")


async def test_the_key_in_the_header_beats_the_one_in_the_query(
    client: aiohttp.ClientSession,
) -> None:
    right, wrong = {"code": DEFAULT_FUNCTION_KEY}, {"x-functions-key": "wrong"}
    assert (await get(client, "level/function", params=right, headers=wrong))[0] == 401
    right, wrong = {"x-functions-key": DEFAULT_FUNCTION_KEY}, {"code": "wrong"}
    assert (await get(client, "level/function", params=wrong, headers=right))[0] == 200


async def test_an_anonymous_function_does_not_mind_a_wrong_key(
    client: aiohttp.ClientSession,
) -> None:
    assert (await get(client, "text", headers={"x-functions-key": "wrong"}))[0] == 200


async def test_the_host_announces_its_function_key(host: Host) -> None:
    assert host.key == DEFAULT_FUNCTION_KEY


# What the function is given


async def test_header_names_arrive_in_lower_case_and_repeated_values_joined(
    client: aiohttp.ClientSession,
) -> None:
    headers = CIMultiDict([("X-Mixed", "Aa"), ("X-Twice", "1"), ("X-Twice", "2")])
    given = (await echo(client, headers=headers))["headers"]
    assert given["x-mixed"] == "Aa"
    assert given["x-twice"] == "1,2"


async def test_query_values_arrive_joined_and_empty_ones_not_at_all(
    client: aiohttp.ClientSession,
) -> None:
    query = [("One", "1"), ("one", "2"), ("empty", ""), ("space", "a b")]
    assert (await echo(client, params=query))["params"] == {"One": "1,2", "space": "a b"}


async def test_the_url_is_absolute_and_follows_the_host_header_alone(
    client: aiohttp.ClientSession,
) -> None:
    headers = {
        "Host": "public.example",
        "X-Forwarded-Host": "forwarded.example",
        "X-Forwarded-Proto": "https",
    }
    given = await echo(client, headers=headers, params={"a": "1 2"})
    assert given["url"] == "http://public.example/api/echo?a=1+2"
    assert given["headers"]["x-forwarded-host"] == "forwarded.example"
    assert given["headers"]["x-forwarded-proto"] == "https"


async def test_a_body_with_a_length_arrives(client: aiohttp.ClientSession) -> None:
    given = await echo(client, data=b"\x00body")
    assert base64.b64decode(given["body"]) == b"\x00body"


async def test_a_body_larger_than_aiohttp_expects_arrives(client: aiohttp.ClientSession) -> None:
    given = await echo(client, data=b"x" * 2_000_000)
    assert len(base64.b64decode(given["body"])) == 2_000_000


async def test_a_compressed_body_arrives_as_it_was_sent(client: aiohttp.ClientSession) -> None:
    given = await echo(client, data=b"not really gzip", headers={"Content-Encoding": "gzip"})
    assert base64.b64decode(given["body"]) == b"not really gzip"


async def test_a_chunked_body_arrives_empty(client: aiohttp.ClientSession) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"lost"

    given = await echo(client, data=chunks())
    assert given["headers"]["transfer-encoding"] == "chunked"
    assert given["body"] == ""


async def test_the_invocation_continues_the_trace_of_the_caller(
    client: aiohttp.ClientSession,
) -> None:
    sent = f"00-{TRACE}-b7ad6b7169203331-01"
    _, trace, span, flags = (await echo(client, headers={"traceparent": sent}))[
        "traceparent"
    ].split("-")
    assert (trace, flags) == (TRACE, "01")
    assert span != "b7ad6b7169203331"


async def test_without_a_valid_trace_one_begins(client: aiohttp.ClientSession) -> None:
    first = await echo(client, headers={"traceparent": "nonsense"})
    second = await echo(client)
    traces = {given["traceparent"].split("-")[1] for given in (first, second)}
    assert len(traces) == 2


# What the function answers


async def test_status_headers_body_and_cookies_go_out_as_given(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("answer") as response:
        assert response.status == 418
        assert response.headers["X-Pot"] == "short"
        assert response.headers["Content-Type"] == "application/x-tea"
        assert response.headers.getall("Set-Cookie") == [
            "one=1; path=/api; httponly",
            "two=a%2Fb; path=/; samesite=lax",
        ]
        assert await response.read() == b"\x00tea"


async def test_text_goes_out_as_plain_text(client: aiohttp.ClientSession) -> None:
    async with client.get("text") as response:
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert await response.text() == "plain"


@pytest.mark.parametrize("route", ["none", "mapping", "fail"])
async def test_none_a_dict_or_an_exception_is_a_500_with_an_empty_body(
    client: aiohttp.ClientSession, route: str
) -> None:
    assert await get(client, route) == (500, b"")


async def test_the_traceback_of_a_failed_function_is_in_the_log(
    host: Host, client: aiohttp.ClientSession
) -> None:
    await get(client, "fail")
    assert "fail failed (" in host.log
    assert "RuntimeError: the secret of the traceback" in host.log


# The host's own pages


async def test_the_home_page_answers(host: Host) -> None:
    async with aiohttp.request("GET", host.url) as response:
        assert response.status == 200


async def test_the_status_of_the_host_needs_the_master_key(host: Host) -> None:
    status = f"{host.url}/admin/host/status"
    async with aiohttp.request("GET", status) as response:
        assert response.status == 401
    async with aiohttp.request("GET", status, params={"code": DEFAULT_MASTER_KEY}) as response:
        assert (await response.json())["state"] == "Running"


# Limits


@pytest.fixture(scope="module")
def impatient_host(storage: str) -> Iterator[Host]:
    settings = {
        "LOCAL_HOST_FRONT_END_SECONDS": "1",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000",
        "LOCAL_HOST_FUNCTION_KEY": "another-key",
        "LOCAL_HOST_MASTER_KEY": "another-master-key",
        "AzureFunctionsJobHost__extensions__http__routePrefix": "other/prefix",
    }
    with Host(storage, settings) as host:
        yield host


async def test_a_request_over_the_size_limit_is_refused(impatient_host: Host) -> None:
    address = f"{impatient_host.url}/other/prefix/echo"
    async with aiohttp.request("POST", address, data=b"x" * 1001) as response:
        assert (response.status, await response.read()) == (500, b"")
    async with aiohttp.request("POST", address, data=b"x" * 1000) as response:
        assert response.status == 200


async def test_settings_change_the_keys(impatient_host: Host) -> None:
    address = f"{impatient_host.url}/other/prefix/level"
    for level, key, status in (
        ("function", "another-key", 200),
        ("admin", "another-master-key", 200),
        ("function", DEFAULT_FUNCTION_KEY, 401),
        ("admin", DEFAULT_MASTER_KEY, 401),
    ):
        parameters = {"code": key}
        async with aiohttp.request("GET", f"{address}/{level}", params=parameters) as response:
            assert response.status == status


async def test_the_front_end_gives_up_but_the_function_goes_on(impatient_host: Host) -> None:
    address = f"{impatient_host.url}/other/prefix"
    async with aiohttp.request("GET", f"{address}/wait") as response:
        assert response.status == 504
    async with aiohttp.request("GET", f"{address}/release") as response:
        await response.read()

    async def has_gone_on() -> bool:
        async with aiohttp.request("GET", f"{address}/records") as response:
            return {"function": "wait"} in await response.json()

    await eventually(has_gone_on, "the function goes on")
