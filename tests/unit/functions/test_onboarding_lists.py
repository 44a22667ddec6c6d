"""A call about several onboardings says which, in one way; else nothing is done."""

import json
from typing import Any

import azure.functions as func
import pytest

from connorg.contract.parsing import InvalidValuesError
from connorg.contract.problems import ProblemError
from connorg.core.ports import OnboardingFilter
from connorg.functions.endpoints.onboarding_lists import choice_of_call
from tests.unit.core.services_under_test import NOW
from tests.unit.functions.requests import http_request

ID = f"{'a' * 24}-{'b' * 32}"


def call(body: Any = None, **parameters: str) -> func.HttpRequest:
    content = b"" if body is None else json.dumps(body).encode()
    return http_request("POST", "onboardings/retry", parameters, body=content)


def test_filters_ids_or_all_of_them_are_chosen() -> None:
    assert choice_of_call(call({"ids": [ID]}), NOW) == (ID,)
    assert choice_of_call(call(text="x"), NOW) == OnboardingFilter(text="x")
    assert choice_of_call(call(all="true"), NOW) == OnboardingFilter()


@pytest.mark.parametrize(
    "req",
    [
        call(),
        call(all="false"),
        call(all="true", text="x"),
        call({"ids": [ID]}, text="x"),
        call({"ids": [ID]}, all="true"),
        call(dryRun="true"),
        call(code="kZ3-x_9Q0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3AzFu=="),
    ],
)
def test_a_call_must_say_which(req: func.HttpRequest) -> None:
    with pytest.raises(ProblemError) as refused:
        choice_of_call(req, NOW)
    assert refused.value.problem.code == "InvalidParameter"


@pytest.mark.parametrize("body", [{"ids": []}, {"ids": ["x"]}, {"ids": [ID] * 501}, {"id": [ID]}])
def test_what_is_no_list_of_ids_is_refused(body: Any) -> None:
    with pytest.raises(InvalidValuesError):
        choice_of_call(call(body), NOW)
