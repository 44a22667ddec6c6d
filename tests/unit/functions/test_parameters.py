"""Nothing that a caller says is ignored: on every route, what it does not take is refused."""

import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any
from urllib.parse import quote

import azure.functions as func

import function_app
from connorg.functions.http.headers import IDEMPOTENCY_KEY, IF_MATCH
from connorg.functions.http.parameters import HOST_KEY, Parameter, taken_by
from connorg.functions.http.route import Route
from tests.cases import each
from tests.unit.functions.registered import HTTP_FUNCTIONS, registered

OPEN = "ReceiveWebhook"
"""Senders of webhooks append what they like."""
ROUTES = [route for route in function_app.routes if route.name != OPEN]
ROOT = Path(function_app.__file__).parent
ADDRESS = re.compile(r"([\w{}$.:/-]+)\?([A-Za-z$]\w*=[^\s'\"`)|]*)")
MALFORMED = {
    "boolean": ["maybe", "1", "yes"],
    "integer": ["0", "101", "-1", "ten", "1.0"],
    "enum": ["nonesuch"],
    "uuid": ["contoso.com", "0"],
    "pattern": ["~", "x" * 5000],
    "maxLength": ["x" * 5000],
    "examples": ["yesterday", "24", "-1h"],
}
TWICE = {"boolean": "true", "integer": "5"}


def in_query(route: Route) -> list[Parameter[Any]]:
    return [one for one in taken_by(route.handler) or () if one.place == "query"]


def wrong_queries(route: Route) -> Iterator[tuple[str, str, str | None]]:
    """Make each query that the route must refuse, what is named, and the nearest known one."""
    known = [parameter.name for parameter in in_query(route)]
    for unknown in ("nonesuch", "$filter", "dry_run", "x" * 50):
        yield f"{unknown}=1", unknown, "" if known else None
    for parameter in in_query(route):
        name, schema = parameter.name, parameter.schema
        for mistyped in (name[:-1], name[1:], f"{name}s", f"x-{name}"):
            yield f"{mistyped}=1", mistyped, name
        one = TWICE.get(schema["type"], "x")
        for repeated in (f"{name}={one}&{name}={one}", f"{name}={one}&{name.upper()}={one}"):
            yield repeated, name, None
        for empty in (f"{name}=", name, f"{name}=%20", f"{name}=+", f"{name.upper()}="):
            yield empty, name, None
        wrongs = MALFORMED.get(schema["type"], []) + [
            wrong for key, values in MALFORMED.items() if key in schema for wrong in values
        ]
        wrongs += MALFORMED.get(schema.get("format", ""), [])
        assert wrongs, f"say in MALFORMED what {name} can't be"
        yield from ((f"{name}={quote(wrong)}", name, None) for wrong in wrongs)
    yield "%ff=1", "UTF-8", None


async def test_whatever_a_route_does_not_take_is_refused_by_name() -> None:
    for case in each((route, wrong) for route in ROUTES for wrong in wrong_queries(route)):
        with case as (route, (query, named, nearest)):
            answer = await asked(route, query)
            told = answer.get_body().decode()
            assert answer.status_code == 400, query
            assert answer.headers["x-ms-error-code"] == "InvalidParameter", query
            assert named in told, query
            if nearest is not None:
                assert f"The nearest is {nearest}" in told, query


async def asked(
    route: Route, query: str = "", headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """Call a route as a caller does who sends the key as a header."""
    request = func.HttpRequest(
        route.method,
        f"https://app.example/api/{route.path}?{query}",
        headers={"x-functions-key": "key", **(headers or {})},
        route_params=dict.fromkeys(route.parameters, "x"),
        body=b"",
    )
    answer: func.HttpResponse = await HTTP_FUNCTIONS[route.name].call(request)
    return answer


async def serve(_: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


async def test_the_hosts_key_is_known_everywhere() -> None:
    for case in each(function_app.routes):
        with case as route:
            [served] = registered([route], serve).values()
            for query in ("", "code=local-function-key", "CODE=a%2Fb%3D%3D"):
                address = f"https://app.example/api/{route.path}?{query}"
                answer = await served.call(func.HttpRequest(route.method, address, body=b""))
                assert answer.status_code == 204, query


async def test_whatever_a_sender_of_webhooks_appends_is_its_own_affair() -> None:
    [route] = [route for route in function_app.routes if route.name == OPEN]
    for query in ("utm=1&utm=1", "sync=", "dryRun=maybe", "%ff"):
        answer = await asked(route, query, {"if-match": "x", "idempotency-key": ""})
        assert answer.status_code == 401, query


async def test_a_header_that_steers_is_used_or_refused() -> None:
    for case in each(product(ROUTES, (IF_MATCH, IDEMPOTENCY_KEY))):
        with case as (route, header):
            is_taken = header in (taken_by(route.handler) or ())
            if is_taken or route.method != "GET":
                for wrong in ("", " ", "a, b") if is_taken else ('"1"',):
                    answer = await asked(route, headers={header.name: wrong})
                    assert (answer.status_code, wrong) == (400, wrong)
                    assert header.name in answer.get_body().decode()


def test_what_our_pages_and_parts_send_is_known() -> None:
    """Addresses with a query, as they stand in documentation, advice, scripts and workflows."""
    found = 0
    for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *sources("connorg", "infra")]:
        for address, query in ADDRESS.findall(path.read_text()):
            known = known_at(address)
            names = {pair.partition("=")[0] for pair in query.split("&")}
            assert known is None or names <= known, f"{path.name}: {address}?{query}"
            found += known is not None
    assert found > 15


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for ending in ("py", "json", "bicep", "kql", "sh"):
            yield from (ROOT / folder).glob(f"**/[!.]*.{ending}")


def known_at(address: str) -> set[str] | None:
    """Return what an address takes, by whichever method; None: it is none of the app's."""
    paths = {route.path for route in ROUTES}
    patterns = {path: rf"(.*/)?{re.sub(r'[{]\w+[}]', '[^/]+', path)}" for path in paths}
    matching = [path for path in paths if re.fullmatch(patterns[path], address)]
    if not matching:
        return None
    nearest = min(matching, key=lambda path: path.count("{"))
    taken = [in_query(route) for route in ROUTES if route.path == nearest]
    return {HOST_KEY, *(parameter.name for some in taken for parameter in some)}


async def test_a_name_that_may_be_a_secret_is_not_repeated() -> None:
    [health] = [route for route in function_app.routes if route.name == "Health"]
    for odd in ("x" * 65, "a\nb"):
        assert odd.encode() not in (await asked(health, quote(odd))).get_body()


def test_a_handler_reads_what_it_declares_and_nothing_else() -> None:
    for case in each(function_app.routes):
        with case as route:
            declared = {one.name for one in taken_by(route.handler) or ()}
            assert {one.name for one in read_by(route.handler)} == declared


def test_no_parameter_is_declared_twice_or_named_as_the_hosts_key() -> None:
    for route in ROUTES:
        names = [one.name.lower() for one in taken_by(route.handler) or ()]
        assert len(names) == len({*names})
        assert HOST_KEY not in names or route.path.startswith("onboardings")


def read_by(handler: Callable[..., Any]) -> Iterator[Parameter[Any]]:
    """Find the parameters that a function names, or whatever it calls at the edge."""
    seen: set[object] = set()
    left: list[Any] = [handler]
    while left:
        function = left.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        if not function.__module__.startswith("connorg.functions"):
            continue
        for name in names_in(function.__code__):
            known = function.__globals__.get(name)
            if isinstance(known, Parameter):
                yield known
            left.append(known)


def names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from names_in(inner)
