"""An app setting that is wrong closes the app, and is told by its name: it never fails open."""

import json
import logging
from collections.abc import Iterator

import azure.functions as func
import pytest

import function_app
from connorg.functions.http.route import Route
from tests.unit.functions.registered import HTTP_FUNCTIONS
from tests.unit.once_per_process import made_anew

WRONG = {
    "CONNORG_DENIED": ("contoso.com https://hunter2.example", "CONNORG_DENIED, entry 2"),
    "CONNORG_ALLOWED": ("hunter2", "CONNORG_ALLOWED, entry 1"),
    "CONNORG_PROPOSED_ONLY": ("webhooks:hunter2", "CONNORG_PROPOSED_ONLY, entry 1"),
    "CONNORG_UPDATES_FROM": ("queue, http", "CONNORG_UPDATES_FROM, entry 2"),
    "CONNORG_GIVE_UP_HOURS": ("hunter2", "CONNORG_GIVE_UP_HOURS"),
}


@pytest.fixture(params=WRONG)
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    value, told = WRONG[request.param]
    monkeypatch.setenv(request.param, value)
    with made_anew():
        yield told


async def answer_of(route: Route) -> func.HttpResponse:
    path = {"id": "x", "kind": "internalSponsors", "sponsor": "x", "source": "jira"}
    request = func.HttpRequest(route.method, "http://127.0.0.1/api/x", route_params=path, body=b"")
    answer = await HTTP_FUNCTIONS[route.name].call(request)
    assert isinstance(answer, func.HttpResponse)
    return answer


async def test_every_route_but_health_is_closed(
    told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for route in function_app.routes:
        answer = await answer_of(route)
        text = answer.get_body().decode()
        assert told in text, route.name
        assert "hunter2" not in text
        if route.name == "Health":
            assert answer.status_code == 503
            [check] = json.loads(text)["checks"]
            assert (check["name"], check["status"]) == ("settings", "misconfigured")
        else:
            assert answer.status_code == 500, route.name
            assert json.loads(text)["code"] == "Misconfigured"
    assert told in caplog.text
    assert "hunter2" not in caplog.text
