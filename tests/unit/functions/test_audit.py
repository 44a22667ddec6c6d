"""Every change that is asked for leaves one line: who, what, and what came of it."""

import base64
import json
import logging
from collections.abc import Callable

import azure.functions as func
import pytest

import function_app
from connorg.contract.effects import Role
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.functions.http.audited import EFFECTS, audited
from connorg.functions.http.problem_boundary import with_problem_answers
from connorg.settings import settings
from tests.unit.functions.registered import HTTP_FUNCTIONS
from tests.unit.functions.requests import http_request

_ADA = "aaaaaaaa-0000-4000-8000-000000000001"
_BATCH = "batch-" + "0" * 32


@pytest.fixture(autouse=True)
def _fresh_settings() -> None:
    settings.cache_clear()


def request(
    method: str = "POST", headers: dict[str, str] | None = None, **parts: dict[str, str]
) -> func.HttpRequest:
    parameters, in_path = parts.get("params", {}), parts.get("route", {})
    return http_request(method, "any", parameters, headers=headers or {}, in_path=in_path)


async def line_of(
    caplog: pytest.LogCaptureFixture,
    req: func.HttpRequest,
    answer: Callable[[], func.HttpResponse],
    name: str = "ReplayOnboarding",
    role: Role | None = None,
) -> list[str]:
    async def handler(_: func.HttpRequest) -> func.HttpResponse:
        return answer()

    handler_of_role = with_problem_answers(handler, role)
    with caplog.at_level(logging.INFO, "connorg.audit"):
        await audited(handler_of_role, EFFECTS[name], Role.MANAGE)(req)
    return [r.message for r in caplog.records if r.name == "connorg.audit"]


def accepted() -> func.HttpResponse:
    return func.HttpResponse(status_code=202, headers={"Location": f"https://x/batches/{_BATCH}"})


def refused() -> func.HttpResponse:
    raise ProblemError(ProblemKind.FORBIDDEN, "The caller lacks the role.")


async def test_a_change_is_told_by_whoever_asked_for_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", "true")
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "true")
    principal = {"auth_typ": "aad", "claims": [{"typ": "roles", "val": Role.MANAGE}]}
    headers = {
        "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
        "x-ms-client-principal-id": _ADA,
    }
    req = request(headers=headers, route={"id": "AB-12"})
    told = await line_of(caplog, req, accepted, role=Role.MANAGE)
    assert told == [
        f"audit: replay of ab-12 by {_ADA} over http as Onboarding.Manage: 202",
    ]


async def test_a_refused_role_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    told = await line_of(caplog, request(route={"id": "ab-12"}), refused)
    assert told == [
        "audit: replay of ab-12 by key over http as Onboarding.Manage: 403 Forbidden",
    ]


async def test_a_batch_is_named(caplog: pytest.LogCaptureFixture) -> None:
    [told] = await line_of(caplog, request(), accepted, "SubmitBatch")
    assert f" of {_BATCH} by key " in told


async def test_a_webhook_is_its_own_caller(caplog: pytest.LogCaptureFixture) -> None:
    [told] = await line_of(caplog, request(route={"source": "Jira"}), accepted, "ReceiveWebhook")
    assert " by webhook:jira over webhook:jira " in told


@pytest.mark.parametrize(
    "hostile", ["a\nb", "Ada Lovelace", "ada@contoso.com", "é", "x" * 81, "../x", ""]
)
async def test_nothing_that_a_caller_says_gets_into_the_line_but_ids(
    caplog: pytest.LogCaptureFixture, hostile: str
) -> None:
    req = request(
        headers={"x-ms-client-principal-id": hostile}, route={"id": hostile, "source": hostile}
    )
    [told] = await line_of(caplog, req, accepted)
    assert hostile.lower() not in told.lower() or not hostile
    assert "\n" not in told


@pytest.mark.parametrize(
    ("req", "answer"),
    [
        (request(params={"dryRun": "true"}), accepted),
        (request(route={"source": "jira"}), lambda: func.HttpResponse(status_code=204)),
    ],
)
async def test_what_changes_nothing_leaves_no_line(
    caplog: pytest.LogCaptureFixture,
    req: func.HttpRequest,
    answer: Callable[[], func.HttpResponse],
) -> None:
    assert await line_of(caplog, req, answer) == []


async def test_each_route_that_changes_something_leaves_its_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is registered, and with nobody signed in: so nothing of it is carried out."""
    monkeypatch.setenv("CONNORG_REQUIRE_ENTRA", "true")
    for route in function_app.routes:
        if route.role is None:
            continue
        caplog.clear()
        with caplog.at_level(logging.INFO, "connorg.audit"):
            await HTTP_FUNCTIONS[route.name].call(request(route.method))
        told = [r.message for r in caplog.records if r.name == "connorg.audit"]
        ending = f" as {route.role}: 401 Unauthenticated"
        assert [line.endswith(ending) for line in told] == [True] * (route.method != "GET")
