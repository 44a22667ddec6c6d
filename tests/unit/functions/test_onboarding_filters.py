"""Which onboardings a call is about, as its parameters say it."""

from datetime import UTC, datetime, timedelta

import pytest

from connorg.contract.onboarding import Status
from connorg.contract.problems import ProblemError
from connorg.core.ports import OnboardingFilter
from connorg.functions.http.onboarding_filters import filter_of
from tests.unit.functions.requests import http_request

BATCH = f"batch-{'0f' * 16}"
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def asked(**parameters: str) -> OnboardingFilter:
    """Return the filter of a caller who sends the key as a header."""
    headers = {"x-functions-key": "key"}
    return filter_of(http_request("GET", "onboardings", parameters, headers=headers), NOW)


@pytest.mark.parametrize(
    ("parameters", "which"),
    [
        ({}, OnboardingFilter()),
        ({"status": "failed"}, OnboardingFilter(status=Status.FAILED)),
        ({"channel": "queue"}, OnboardingFilter(channel="queue")),
        ({"source": "queue"}, OnboardingFilter(channel="queue")),
        ({"source": "queue", "channel": "queue"}, OnboardingFilter(channel="queue")),
        ({"code": "GraphThrottled"}, OnboardingFilter(code="GraphThrottled")),
        ({"CODE": "GraphThrottled"}, OnboardingFilter(code="GraphThrottled")),
        ({"channel": "Webhook:Jira"}, OnboardingFilter(channel="webhook:jira")),
        ({"reference": " REQ1 "}, OnboardingFilter(reference="REQ1")),
        ({"batch": BATCH.upper()}, OnboardingFilter(batch=BATCH)),
        ({"since": "24h"}, OnboardingFilter(since=NOW - timedelta(hours=24))),
        ({"since": "7d"}, OnboardingFilter(since=NOW - timedelta(days=7))),
        ({"until": "90m"}, OnboardingFilter(until=NOW - timedelta(minutes=90))),
        ({"since": "2026-11-01T10:30:00+01:00"}, OnboardingFilter(since=NOW - timedelta(days=1))),
        (
            {"since": "0001-01-01T00:00:00Z"},
            OnboardingFilter(since=datetime(1970, 1, 1, tzinfo=UTC)),
        ),
        ({"since": "999999d"}, OnboardingFilter(since=datetime(1970, 1, 1, tzinfo=UTC))),
        ({"text": "contoso"}, OnboardingFilter(text="contoso")),
    ],
)
def test_parameters_make_a_filter(parameters: dict[str, str], which: OnboardingFilter) -> None:
    assert asked(**parameters) == which


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"status": "Done"}, "status"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-01"}, "since"),
        ({"since": "2026-11-01T10:30:00"}, "since"),
        ({"until": "0h"}, "until"),
        ({"until": "-1h"}, "until"),
        ({"until": "9999999d"}, "until"),
        ({"text": "x" * 201}, "text"),
        ({"source": "http", "channel": "queue"}, "channel"),
        ({"channel": "mail"}, "channel"),
        ({"channel": "webhook:"}, "channel"),
        ({"source": "http|queue"}, "source"),
        ({"batch": "batch-1"}, "batch"),
        ({"code": "A" * 41}, "code"),
        ({"code": "kZ3-x_9Q"}, "code"),
        ({"reference": "x" * 257}, "reference"),
        ({"reference": "REQ\n1"}, "reference"),
        ({"reference": "undefined"}, "reference"),
        ({"reference": "{{ticket}}"}, "reference"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(parameters: dict[str, str], named: str) -> None:
    with pytest.raises(ProblemError, match=named) as refused:
        asked(**parameters)
    assert refused.value.problem.code == "InvalidParameter"


@pytest.mark.parametrize("key", ["kZ3-x_9Q0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3AzFu==", "MyKey"])
def test_a_key_in_the_query_is_no_error_code(key: str) -> None:
    for headers in ({}, {"x-functions-key": key}):  # some generated clients send it twice
        req = http_request("GET", "onboardings", {"code": key}, headers=headers)
        assert filter_of(req, NOW) == OnboardingFilter()
