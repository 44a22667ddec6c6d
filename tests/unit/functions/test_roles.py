"""Who is let in where: every caller on every route, held to the table that callers read."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from itertools import combinations

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

import function_app
from connorg.contract.effects import ROLES, Role
from connorg.contract.problems import ProblemError
from connorg.core.policy.ways_in import ON_STANDING
from connorg.functions.http.audited import EFFECTS
from connorg.functions.http.callers import actor_of, authorize, caller_of, recognise
from connorg.functions.http.route import Route
from connorg.settings import settings
from infra.grant.rights import CALLER_ROLES
from tests.cases import each
from tests.unit.functions.registered import HTTP_FUNCTIONS, Registered, registered
from tests.unit.functions.requests import http_request
from tests.unit.functions.test_routes import PAGE, ROOT, ROW
from tests.unit.partners import body, domain_source

SERVED, UNAUTHENTICATED, FORBIDDEN = 204, 401, 403
ROLE_URI = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
DOCUMENTED = {(method, path): role for method, path, role in ROW.findall((ROOT / PAGE).read_text())}
SOME_ROLES = [set(some) for count in range(1, 5) for some in combinations(Role, count)]


def claims_of(typ: str, *values: object) -> list[dict[str, object]]:
    return [{"typ": typ, "val": value} for value in values]


def encoded(text: str | bytes) -> dict[str, str]:
    content = text.encode() if isinstance(text, str) else text
    return {"x-ms-client-principal": base64.b64encode(content).decode()}


def signed_in(claims: list[dict[str, object]], role_typ: str = "roles") -> dict[str, str]:
    """Return the header that App Service sets for a caller who signed in."""
    return encoded(json.dumps({"auth_typ": "aad", "claims": claims, "role_typ": role_typ}))


def call(headers: Mapping[str, str], method: str = "GET") -> func.HttpRequest:
    return func.HttpRequest(method, "http://127.0.0.1:7071/api/x", headers=headers, body=b"")


@pytest.fixture
def entra_required(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", "true")
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")  # as App Service spells it
    settings.cache_clear()
    yield
    settings.cache_clear()


async def serve(_: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=SERVED)


def levels(functions: Mapping[str, Registered]) -> dict[str, func.AuthLevel]:
    return {name: function.trigger["authLevel"] for name, function in functions.items()}


def test_each_function_is_a_route_with_the_key_that_the_page_names() -> None:
    asked = {}
    for function in HTTP_FUNCTIONS.values():
        [method] = function.trigger["methods"]
        asked[method.value, function.trigger["route"]] = function.trigger["authLevel"]
    wanted = {
        place: func.AuthLevel.ADMIN
        if "master key" in who
        else func.AuthLevel.FUNCTION
        if "Onboarding." in who
        else func.AuthLevel.ANONYMOUS
        for place, who in DOCUMENTED.items()
    }
    assert asked == wanted


@pytest.mark.usefixtures("entra_required")
def test_with_entra_no_route_asks_for_a_key() -> None:
    asked = levels(registered(function_app.routes, serve))
    assert set(asked.values()) == {func.AuthLevel.ANONYMOUS}
    assert asked.keys() == {route.name for route in function_app.routes}


@pytest.mark.parametrize("wrong", ["yes, please", " ", "tru", "2"])
def test_a_setting_that_can_t_be_understood_leaves_every_key_in_place(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", wrong)
    assert levels(registered(function_app.routes, serve)) == levels(HTTP_FUNCTIONS)


@pytest.mark.usefixtures("entra_required")
async def test_a_caller_is_let_in_by_the_documented_role_and_by_no_other() -> None:
    """The function itself refuses; where it would not, it is tried with another handler."""
    callers: list[tuple[dict[str, str], set[Role], int]] = [
        ({}, set(), UNAUTHENTICATED),
        (signed_in([]), set(), FORBIDDEN),
        (signed_in(claims_of("roles", "Onboarding.All", "*", "")), set(), FORBIDDEN),
        *((signed_in(claims_of("roles", *roles)), roles, FORBIDDEN) for roles in SOME_ROLES),
    ]
    for case in each(function_app.routes):
        with case as route:
            real = HTTP_FUNCTIONS[route.name]
            [served] = registered([route], serve).values()
            who = DOCUMENTED[route.method, route.path]
            for headers, roles, refusal in callers:
                is_let_in = "Onboarding." not in who or any(f"`{role}`" in who for role in roles)
                function, status = (served, SERVED) if is_let_in else (real, refusal)
                answer = await function.call(call(headers, route.method))
                assert answer.status_code == status, f"{roles or 'nobody'} at {route.path}"


COOKIE = {"cookie": "AppServiceAuthSession=x"}
WRITING = [route for route in function_app.routes if route.method != "GET" and route.role]


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize("route", WRITING, ids=lambda route: route.name)
async def test_a_write_signed_in_by_a_cookie_needs_a_header_that_no_form_sends(
    route: Route,
) -> None:
    caller = {**signed_in(claims_of("roles", *Role)), **COOKIE}
    forms: tuple[dict[str, str], ...] = (
        {},
        {"origin": "https://evil.example", "content-type": "text/plain"},
        {"x-requested-with": ""},
    )
    for sent in forms:
        answer = await HTTP_FUNCTIONS[route.name].call(call({**caller, **sent}, route.method))
        assert answer.status_code == FORBIDDEN
        assert "X-Requested-With" in json.loads(answer.get_body())["action"]
    [served] = registered([route], serve).values()
    for sent in ({"x-requested-with": "XMLHttpRequest"}, {"authorization": "Bearer x"}):
        answer = await served.call(call({**caller, **sent}, route.method))
        assert answer.status_code == SERVED


@pytest.mark.usefixtures("entra_required")
async def test_a_read_signed_in_by_a_cookie_needs_nothing_more() -> None:
    [served] = registered([r for r in function_app.routes if r.name == "ReadBatch"], serve).values()
    caller = {**signed_in(claims_of("roles", Role.READ)), **COOKIE}
    assert (await served.call(call(caller))).status_code == SERVED


def test_who_may_only_read_changes_nothing_and_who_has_no_role_little() -> None:
    readers = {route.method for route in function_app.routes if route.role is Role.READ}
    anybody = {route.name for route in function_app.routes if route.role is None}
    assert readers == {"GET"}
    pages = {"ShowConsole", "ShowConsoleFile", "ShowDocs"}
    assert anybody == {"ReadResult", "ReceiveWebhook", "Health", "Describe", *pages}


def test_a_route_asks_for_the_role_of_its_effect() -> None:
    by_name = {route.name: route for route in function_app.routes}
    asked = {name: by_name[name].role for name in EFFECTS if name != "ReceiveWebhook"}
    assert asked == {name: ROLES[EFFECTS[name]] for name in asked}


UPDATE = body(ifExists="update")
UPDATES = {
    "SubmitOrganization": json.dumps(UPDATE),
    "SubmitBatch": json.dumps([body(domain_source("fabrikam.com")), UPDATE]),
}


async def update(name: str, roles: set[Role], params: dict[str, str]) -> int:
    headers = {**signed_in(claims_of("roles", *roles)), "content-type": "application/json"}
    content = UPDATES[name].encode()
    request = http_request("POST", "x", params, headers=headers, body=content)
    return int((await HTTP_FUNCTIONS[name].call(request)).status_code)


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("params", [{}, {"dryRun": "true"}], ids=str)
async def test_who_may_only_submit_updates_nothing(name: str, params: dict[str, str]) -> None:
    assert await update(name, {Role.SUBMIT}, params) == FORBIDDEN
    assert await update(name, {Role.MANAGE}, params) == FORBIDDEN


@pytest.mark.usefixtures("entra_required")
async def test_who_may_submit_and_manage_updates() -> None:
    name, roles = "SubmitOrganization", {Role.SUBMIT, Role.MANAGE}
    assert await update(name, roles, {"dryRun": "true"}) not in {UNAUTHENTICATED, FORBIDDEN}


STANDING = [name for name, effect in EFFECTS.items() if effect in ON_STANDING]


@pytest.mark.parametrize("name", STANDING)
async def test_where_http_may_only_propose_nothing_that_stands_is_changed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    [route] = [route for route in function_app.routes if route.name == name]
    [function] = registered([route], serve).values()
    for channel, status in (("http", 422), ("batch", SERVED), ("queue", SERVED), ("*", 422)):
        monkeypatch.setenv("CONNORG_PROPOSED_ONLY", channel)
        settings.cache_clear()
        assert (await function.call(call({}, route.method))).status_code == status
    settings.cache_clear()


def test_the_roles_that_are_asked_for_can_be_given() -> None:
    assert CALLER_ROLES.keys() == set(Role)


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize(
    "headers",
    [
        signed_in(claims_of("roles", *Role)),
        signed_in(claims_of(ROLE_URI, *Role), role_typ=ROLE_URI),
        signed_in(claims_of("roles", *Role), role_typ=ROLE_URI),
        encoded(json.dumps({"auth_typ": "aad", "claims": claims_of("roles", *Role)})),
    ],
    ids=["roles", "its URI", "roles beside the URI", "no type told"],
)
def test_a_role_counts_by_either_name_of_its_claim(headers: dict[str, str]) -> None:
    for role in Role:
        assert refusal_of(headers, role) is None


def refusal_of(headers: Mapping[str, str], role: Role = Role.MANAGE) -> int | None:
    async def ask() -> None:
        await recognise(call(headers))
        authorize(role)

    try:
        asyncio.run(ask())
    except ProblemError as error:
        return error.problem.status
    return None


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize("enabled", ["", "false", "1", "yes", "True ", "truthy", None])
def test_where_app_service_signs_nobody_in_its_header_is_anybody_s(
    monkeypatch: pytest.MonkeyPatch, enabled: str | None
) -> None:
    if enabled is None:
        monkeypatch.delenv("WEBSITE_AUTH_ENABLED")
    else:
        monkeypatch.setenv("WEBSITE_AUTH_ENABLED", enabled)
    settings.cache_clear()
    assert refusal_of(signed_in(claims_of("roles", *Role))) == UNAUTHENTICATED


@pytest.mark.parametrize("name", ["webhook:servicenow", "queue", "kept:queue", "", "x" * 99])
@pytest.mark.parametrize("entra", ["true", "false"])
def test_nobody_passes_for_a_channel(
    monkeypatch: pytest.MonkeyPatch, name: str, entra: str
) -> None:
    """Idempotency keys of callers lie beside those of channels, and are told apart by the name."""
    monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", entra)
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "true")
    settings.cache_clear()
    ada = "aaaaaaaa-0000-4000-8000-000000000001"

    async def names(of: str) -> tuple[str, str]:
        header = {"x-ms-client-principal-id": of}
        await recognise(call({**signed_in(claims_of("roles", *Role)), **header}))
        return caller_of(), actor_of()

    assert asyncio.run(names(name)) == ("", "key")
    assert asyncio.run(names(ada)) == ((ada, ada) if entra == "true" else ("", "key"))
    settings.cache_clear()


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize("auth_typ", ["", "AAD", "google", "facebook", "aad2", None, ["aad"]])
def test_a_principal_of_another_provider_is_nobody(auth_typ: object) -> None:
    told = {"auth_typ": auth_typ, "claims": claims_of("roles", *Role), "role_typ": "roles"}
    assert refusal_of(encoded(json.dumps(told))) == UNAUTHENTICATED


@pytest.mark.parametrize(
    "typ",
    ["name", "scp", "groups", "wids", "appid", "Roles", "roles ", "role", ROLE_URI, ""],
)
@pytest.mark.usefixtures("entra_required")
def test_a_claim_that_only_reads_like_a_role_is_none(typ: str) -> None:
    for role in Role:
        assert refusal_of(signed_in(claims_of(typ, *Role)), role) == FORBIDDEN


# Settings are read once; the fixture of a test is not made anew for each example.
@given(typ=st.text().filter(lambda typ: typ != "roles"), role=st.sampled_from(Role))
def test_no_claim_of_another_type_is_a_role(typ: str, role: Role) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONNORG_REQUIRE_ENTRA", "true")
        environment.setenv("WEBSITE_AUTH_ENABLED", "true")
        settings.cache_clear()
        assert refusal_of(signed_in(claims_of(typ, role)), role) == FORBIDDEN
    settings.cache_clear()


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize(
    "value",
    [
        "onboarding.manage",
        "Onboarding.Manage ",
        "Onboarding.Manage.All",
        "Onboarding.Read,Onboarding.Manage",
        "Onboarding.Read Onboarding.Manage",
        '["Onboarding.Manage"]',
        ["Onboarding.Manage"],
        {"Onboarding.Manage": True},
        None,
    ],
    ids=str,
)
def test_a_role_of_another_shape_is_none(value: object) -> None:
    assert refusal_of(signed_in(claims_of("roles", value))) == FORBIDDEN


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize(
    "headers",
    [
        {"x-ms-client-principal": ""},
        {"x-ms-client-principal": "not base64!"},
        {"x-ms-client-principal": "b\u00e9"},
        {"x-ms-client-principal": "Onboarding.Manage"},
        encoded("not JSON"),
        encoded(b"\xff"),
        encoded("null"),
        encoded("[" * 100_000),
        encoded(json.dumps(claims_of("roles", *Role))),
        encoded(json.dumps({"claims": 7})),
        encoded(json.dumps({"claims": {"roles": list(Role)}})),
        encoded(json.dumps({"roles": list(Role)})),
        encoded(json.dumps({"claims": claims_of("roles", *Role), "role_typ": 7})),
    ],
    ids=lambda headers: str(headers["x-ms-client-principal"][:20]),
)
def test_a_principal_that_can_t_be_read_is_nobody(headers: dict[str, str]) -> None:
    assert refusal_of(headers) == UNAUTHENTICATED


@pytest.mark.usefixtures("entra_required")
@pytest.mark.parametrize(
    "header", ["x-ms-client-principal-id", "x-ms-client-principal-name", "authorization"]
)
def test_no_other_header_stands_for_the_principal(header: str) -> None:
    assert refusal_of({header: "Onboarding.Manage"}) == UNAUTHENTICATED
