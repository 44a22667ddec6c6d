"""What each failure of a call to Graph means."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st
from kiota_abstractions.api_error import APIError
from msgraph.generated.models.o_data_errors.main_error import MainError
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused
from connorg.graph.setbacks import retry_after_seconds, setback_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def graph_error(status: int, code: str = "", message: str = "", **headers: str) -> ODataError:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    error = ODataError(response_status_code=status, response_headers=sent)
    error.error = MainError(code=code, message=message)
    return error


@pytest.mark.parametrize("status", [400, 409, 422, 500])
@pytest.mark.parametrize(
    "code", ["ConnectedOrganizationAlreadyExists", "IdentityProviderAlreadyConfigured"]
)
def test_a_duplicate_is_known_by_its_code_whatever_the_status(status: int, code: str) -> None:
    assert isinstance(setback_of(graph_error(status, code), NOW), AlreadyConnected)


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (401, "InvalidAuthenticationToken", "TokenRejected"),
        (403, "UnAuthorized", "PermissionMissing"),
        (403, "Authorization_RequestDenied", "PermissionMissing"),
        (403, "NoLicense", "LicenseMissing"),
    ],
)
def test_a_missing_right_blocks_and_says_how_to_grant_it(status: int, code: str, ours: str) -> None:
    setback = setback_of(graph_error(status, code), NOW)
    assert isinstance(setback, Blocked)
    assert setback.error.code == ours
    assert setback.error.action


@pytest.mark.parametrize("code", ["QuotaExceeded", "Directory_QuotaExceeded", "LimitReached"])
def test_a_full_tenant_is_no_missing_right_so_nobody_else_waits_for_it(code: str) -> None:
    setback = setback_of(graph_error(403, code), NOW)
    assert isinstance(setback, Refused)
    assert setback.error.code == "TenantFull"


def test_throttling_is_everybodys_and_keeps_its_retry_after() -> None:
    setback = setback_of(graph_error(429, "TooManyRequests", Retry_After="17"), NOW)
    assert isinstance(setback, Later)
    assert (setback.throttled, setback.ambiguous, setback.retry_after) == (True, False, 17)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_server_error_may_have_been_carried_out(status: int) -> None:
    setback = setback_of(graph_error(status), NOW)
    assert isinstance(setback, Later)
    assert setback.ambiguous


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_any_other_refusal_is_for_good_and_tells_graphs_words_and_request_id(status: int) -> None:
    error = graph_error(status, "BadRequest", "No such\ndomain.", request_id="r-1")
    setback = setback_of(error, NOW)
    assert isinstance(setback, Refused)
    assert "No such domain." in setback.error.message
    assert (setback.error.graph_code, setback.error.graph_request_id) == ("BadRequest", "r-1")


def test_an_error_without_a_readable_body_is_judged_by_its_status() -> None:
    assert isinstance(setback_of(APIError(response_status_code=400), NOW), Refused)
    assert isinstance(setback_of(APIError(response_status_code=503), NOW), Later)


@pytest.mark.parametrize(
    ("error", "ambiguous"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("full"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.RemoteProtocolError("closed"), True),
        (ClientAuthenticationError("no token"), False),
    ],
)
def test_only_what_was_never_sent_is_beyond_doubt(error: Exception, *, ambiguous: bool) -> None:
    setback = setback_of(error, NOW)
    assert isinstance(setback, Later)
    assert setback.ambiguous is ambiguous


def test_a_mistake_of_our_own_is_not_taken_for_a_failure_of_graph() -> None:
    with pytest.raises(KeyError):
        setback_of(KeyError("ours"), NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("-5", 0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("86401", 24 * 60 * 60),
        ("1e300", 24 * 60 * 60),
        ("Fri, 01 Jan 2027 12:00:00 GMT", 24 * 60 * 60),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_can_break_anything(value: str) -> None:
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or NOW <= NOW + timedelta(seconds=seconds) <= NOW + timedelta(days=1)


@pytest.mark.parametrize("minutes", [-10, -2, 0, 2, 10])
def test_a_date_to_wait_for_is_one_of_graphs_own_clock(minutes: int) -> None:
    graph_now = NOW + timedelta(minutes=minutes)
    told = {"Date": graph_now, "Retry-After": graph_now + timedelta(seconds=30)}
    headers = {name: format_datetime(moment, usegmt=True) for name, moment in told.items()}
    setback = setback_of(ODataError(response_status_code=429, response_headers=headers), NOW)
    assert isinstance(setback, Later)
    assert setback.retry_after == 30


@pytest.mark.parametrize("date", [{}, {"Date": "soon"}])
def test_without_a_date_of_the_answer_ours_will_do(date: dict[str, str]) -> None:
    headers = {"Retry-After": "Thu, 01 Jan 2026 12:00:30 GMT", **date}
    setback = setback_of(ODataError(response_status_code=503, response_headers=headers), NOW)
    assert isinstance(setback, Later)
    assert setback.retry_after == 30
