"""What the result address tells: it is open to whoever holds it, so it tells what pollers need."""

import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.problems import ProblemError
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.answers import problem_answer, result_answer
from infra.local.azurite import connection_string
from tests.unit.once_per_process import made_anew
from tests.unit.partners import request

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID, FOREIGN = f"{'0' * 24}-{'1' * 32}", f"{'0' * 24}-{'2' * 32}"
PRIVATE = ("ada@contoso.com", "INC0042", "Contoso", "webhook:jira", FOREIGN, "request-7")
ERROR = OnboardingError(
    code="TenantUnderWay",
    message=f"Onboarding {FOREIGN} of Contoso stands in the way.",
    action="Ask ada@contoso.com.",
    graph_request_id="request-7",
)


def onboarding(status: Status, error: OnboardingError | None = ERROR) -> Onboarding:
    return Onboarding(
        id=ID,
        status=status,
        channel="webhook:jira",
        request=request(internalSponsors=["ada@contoso.com"], reference="INC0042"),
        reference="INC0042",
        last_error=error,
        next_attempt_date_time=NOW if status is Status.WAITING else None,
        created_date_time=NOW,
        last_action_date_time=NOW,
        give_up_date_time=NOW,
    )


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AzureWebJobsStorage", connection_string(1))
    with made_anew():
        yield


def answer(one: Onboarding) -> func.HttpResponse:
    asked = func.HttpRequest("GET", "https://app.example/api/x", body=b"")
    try:
        return result_answer(one, Addresses(asked))
    except ProblemError as error:
        return problem_answer(error)


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.SUCCEEDED])
@pytest.mark.parametrize("error", [ERROR, None], ids=["an error", "none"])
def test_it_tells_no_particulars_and_is_kept_by_nobody(
    status: Status, error: OnboardingError | None
) -> None:
    given = answer(onboarding(status, error))
    text = given.get_body().decode()
    assert not [word for word in PRIVATE if word in text]
    assert given.headers["Cache-Control"] == "no-store"
    told = json.loads(text)
    if not status.terminal:
        wanted: dict[str, object] = {"id": ID, "status": status.value}
        wanted |= {"lastError": {"code": ERROR.code}} if error else {}
        if status is Status.WAITING:
            wanted["nextAttemptDateTime"] = "2026-01-01T12:00:00Z"
        assert told == wanted
        assert int(given.headers["Retry-After"]) >= 1
    elif status is Status.FAILED:
        assert told["code"] == (ERROR.code if error else "Unknown")
        assert told["onboardingId"] == ID


def test_at_the_end_it_is_the_organization() -> None:
    organization = ConnectedOrganization(id="35ff48a8-e9d8-4405-8425-0b23694287a4")
    done = onboarding(Status.SUCCEEDED).model_copy(update={"result": organization})
    given = answer(done)
    assert json.loads(given.get_body())["id"] == organization.id
    assert given.headers["Cache-Control"] == "no-store"
