"""What each failure of a call to Graph means."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st
from kiota_http._exceptions import RedirectError

from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback
from connorg.graph.meanings import DUPLICATE_CODES, Call
from connorg.graph.setbacks import Denied, retry_after_seconds, setback_of, setback_of_answer
from tests.cases import each

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

CREATE, LIST, READ, CHANGE = Call.CREATE, Call.LIST, Call.READ, Call.CHANGE
DELETE, REFER, LOOKUP = Call.DELETE, Call.REFER, Call.LOOKUP


def told(
    status: int,
    code: str = "",
    message: str = "",
    call: Call = CREATE,
    **more: Any,
) -> AlreadyConnected | Setback:
    """Say what an answer means. `more`: its headers, and its body where that is another one."""
    envelope = json.dumps({"error": {"code": code, "message": message}}).encode()
    body = more.get("body", envelope)
    return setback_of_answer(call, status, more.get("headers", {}), body, NOW)


def shown(answer: AlreadyConnected | Setback) -> tuple[type, str]:
    return type(answer), answer.error.code


# Each row: call, status, code, message; what it means.
MEANINGS: tuple[tuple[Call, int, str, str, type, str], ...] = (
    (CREATE, 400, "NoSuchThing", "", Refused, "RefusedByGraph"),
    (CREATE, 401, "InvalidAuthenticationToken", "", Blocked, "TokenRejected"),
    (CREATE, 401, "", "Tenant has no premium license.", Blocked, "LicenseMissing"),
    (CREATE, 402, "PaymentRequired", "", Blocked, "LicenseMissing"),
    (READ, 402, "", "", Blocked, "LicenseMissing"),
    (CREATE, 403, "UnAuthorized", "", Blocked, "PermissionMissing"),
    (LIST, 403, "Authorization_RequestDenied", "", Blocked, "PermissionMissing"),
    (LOOKUP, 403, "Authorization_RequestDenied", "", Blocked, "PermissionMissing"),
    (READ, 403, "UnAuthorized", "", Denied, "PermissionMissing"),
    (CHANGE, 403, "UnAuthorized", "", Denied, "PermissionMissing"),
    (DELETE, 403, "UnAuthorized", "", Denied, "PermissionMissing"),
    (REFER, 403, "UnAuthorized", "", Denied, "PermissionMissing"),
    (CREATE, 403, "NoLicense", "", Blocked, "LicenseMissing"),
    (REFER, 403, "NoGovernanceSku", "", Blocked, "LicenseMissing"),
    (CREATE, 403, "AadPremiumLicenseRequired", "", Blocked, "LicenseMissing"),
    (LIST, 400, "", "The tenant's subscription does not have it.", Blocked, "LicenseMissing"),
    (CREATE, 400, "", "'Premium Sku Licences' is no name.", Refused, "RefusedByGraph"),
    (CREATE, 403, "QuotaExceeded", "", Refused, "TenantFull"),
    (CREATE, 403, "Directory_QuotaExceeded", "", Refused, "TenantFull"),
    (CREATE, 400, "LimitReached", "", Refused, "TenantFull"),
    (CREATE, 400, "LengthLimitExceeded", "", Refused, "RefusedByGraph"),
    (CREATE, 403, "activityLimitReached", "You are throttled.", Later, "GraphThrottled"),
    (CREATE, 429, "QuotaExceeded", "", Later, "GraphThrottled"),
    (CREATE, 404, "", "No resource was found.", Refused, "RefusedByGraph"),
    (READ, 404, "", "", Refused, "RefusedByGraph"),
    (CREATE, 408, "", "", Later, "GraphBusy"),
    (CREATE, 409, "Conflict", "", Later, "GraphBusy"),
    (CHANGE, 409, "Conflict", "", Later, "GraphBusy"),
    (DELETE, 409, "Conflict", "", Refused, "RefusedByGraph"),
    (DELETE, 400, "InUse", "", Refused, "RefusedByGraph"),
    (CREATE, 412, "", "", Later, "GraphBusy"),
    (CREATE, 413, "", "", Refused, "RefusedByGraph"),
    (CREATE, 421, "", "", Later, "GraphBusy"),
    (CREATE, 422, "", "", Refused, "RefusedByGraph"),
    (REFER, 423, "", "", Later, "GraphBusy"),
    (REFER, 424, "", "", Later, "GraphBusy"),
    (CREATE, 425, "", "", Later, "GraphBusy"),
    (CREATE, 449, "", "", Later, "GraphBusy"),
    (CREATE, 499, "", "", Later, "GraphBusy"),
    (LOOKUP, 501, "", "", Later, "GraphUnavailable"),
    (CREATE, 302, "", "", Later, "GraphUnavailable"),
    (READ, 400, DUPLICATE_CODES[0], "", Refused, "RefusedByGraph"),
)


def test_each_answer_has_its_meaning() -> None:
    for row in each(MEANINGS):
        with row as (call, status, code, message, kind, ours):
            assert shown(told(status, code, message, call)) == (kind, ours)


@pytest.mark.parametrize("status", [408, 409, 424, 499, 500, 501, 502, 503, 504, 599, 302])
def test_what_may_have_been_carried_out_is_looked_up(status: int) -> None:
    setback = told(status)
    assert isinstance(setback, Later)
    assert setback.ambiguous


@pytest.mark.parametrize("status", [412, 421, 423, 425, 429, 449])
def test_what_did_nothing_leaves_no_doubt(status: int) -> None:
    setback = told(status)
    assert isinstance(setback, Later)
    assert not setback.ambiguous


NAMES = (*DUPLICATE_CODES, DUPLICATE_CODES[0].upper(), DUPLICATE_CODES[1].lower())
BODIES: dict[str, Any] = {
    "code": lambda name: {"error": {"code": name, "message": "m"}},
    "message": lambda name: {"error": {"code": "BadRequest", "message": f"Failed: {name}."}},
    "inner": lambda name: {"error": {"code": "", "innerError": {"innererror": {"code": name}}}},
    "details": lambda name: {"error": {"code": "x", "details": [{"code": "y"}, {"code": name}]}},
    "json in message": lambda name: {"error": {"message": json.dumps({"error": {"code": name}})}},
    "odata.error": lambda name: {"odata.error": {"code": "", "message": {"value": name}}},
    "no envelope": lambda name: {"code": name},
    "a bad date": lambda name: {"error": {"code": name, "innerError": {"date": "yesterday"}}},
    "html": lambda name: f"<html><body><b>{name}</b></body></html>",
    "truncated": lambda name: json.dumps({"error": {"code": name, "message": "It"}})[:-4],
    "a list": lambda name: [{"error": {"code": name}}],
    "text": lambda name: name,
}


def test_a_duplicate_is_known_by_its_name_wherever_it_stands() -> None:
    for case in each(product(BODIES, NAMES, (400, 403, 409, 422, 500))):
        with case as (shape, name, status):
            body = BODIES[shape](name)
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            assert shown(told(status, body=raw)) == (AlreadyConnected, "AlreadyConnected")


@pytest.mark.parametrize("shape", BODIES)
def test_graphs_own_words_are_told_whatever_shape_they_come_in(shape: str) -> None:
    body = BODIES[shape]("Peculiar")
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    setback = told(422, body=raw)
    assert "Peculiar" in f"{setback.error.graph_code} {setback.error.message}"


@given(body=st.binary(max_size=200), status=st.integers(300, 599), call=st.sampled_from(Call))
def test_no_body_at_all_raises(body: bytes, status: int, call: Call) -> None:
    assert told(status, call=call, body=body).error.message


def test_a_body_that_is_nested_deep_is_read_no_further() -> None:
    assert isinstance(told(400, body=b"[" * 100_000), Refused)
    assert isinstance(told(400, body=b'{"a":' * 50_000), Refused)


OF_THE_BODY = (
    "The property 'x' does not exist on type 'microsoft.graph.connectedOrganization'.",
    "A type named 'y' could not be resolved by the model.",
    "Invalid value for displayName.",
    "Cannot convert the literal '5' to the expected type 'Edm.String'.",
)


@pytest.mark.parametrize("message", OF_THE_BODY)
def test_a_400_that_names_a_property_of_the_body_needs_no_search(message: str) -> None:
    setback = told(400, "BadRequest", message)
    assert isinstance(setback, Refused)
    assert setback.of_body


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, ""),
        (400, "An organization with this domainName already exists."),
        (400, "displayName must be unique."),
        (422, "Invalid value for displayName."),
    ],
)
def test_any_other_refusal_may_be_of_what_stands(status: int, message: str) -> None:
    setback = told(status, "BadRequest", message)
    assert isinstance(setback, Refused)
    assert not setback.of_body


@pytest.mark.parametrize(
    ("code", "message", "challenge", "advice"),
    [
        ("InvalidAuthenticationToken", "", "", "CONNORG_CLOUD"),
        ("InvalidAuthenticationToken", "Access token has expired.", "", "clock"),
        ("", "Lifetime validation failed, the token is expired.", "", "clock"),
        ("", "", 'Bearer error="insufficient_claims", claims="e30="', "Conditional Access"),
        ("", "Continuous access evaluation resulted in challenge", "", "Conditional Access"),
    ],
)
def test_each_rejected_token_has_its_own_advice(
    code: str, message: str, challenge: str, advice: str
) -> None:
    setback = told(401, code, message, headers={"www-authenticate": challenge})
    assert isinstance(setback, Blocked)
    assert advice in (setback.error.action or "")


def test_a_collection_that_is_not_there_is_no_mistake_of_the_request() -> None:
    setback = told(404, "", "No resource was found.")
    assert "cloud or tenant does not offer" in (setback.error.action or "")


def test_throttling_is_everybodys_and_keeps_its_retry_after() -> None:
    setback = told(429, "TooManyRequests", headers={"retry-after": "17"})
    assert isinstance(setback, Later)
    assert (setback.throttled, setback.ambiguous, setback.retry_after) == (True, False, 17)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_any_other_refusal_is_for_good_and_tells_graphs_words_and_request_id(status: int) -> None:
    setback = told(status, "BadRequest", "No such\ndomain.", headers={"request-id": "r-1"})
    assert isinstance(setback, Refused)
    assert "No such domain." in setback.error.message
    assert (setback.error.graph_code, setback.error.graph_request_id) == ("BadRequest", "r-1")


def test_an_error_without_a_readable_body_is_judged_by_its_status() -> None:
    assert isinstance(told(400, body=b""), Refused)
    assert isinstance(told(503, body=b""), Later)


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
        (httpx.DecodingError("no gzip"), True),
        (RedirectError("Too many redirects."), True),
        (ClientAuthenticationError("no token"), False),
    ],
)
def test_only_what_was_never_sent_is_beyond_doubt(error: Exception, *, ambiguous: bool) -> None:
    setback = setback_of(error)
    assert isinstance(setback, Later)
    assert setback.ambiguous is ambiguous


def test_a_mistake_of_our_own_is_not_taken_for_a_failure_of_graph() -> None:
    with pytest.raises(KeyError):
        setback_of(KeyError("ours"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", None),
        ("0", None),
        ("1.5", 1.5),
        ("-5", None),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", None),
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
    dates = {"date": graph_now, "retry-after": graph_now + timedelta(seconds=30)}
    headers = {name: format_datetime(moment, usegmt=True) for name, moment in dates.items()}
    setback = told(429, headers=headers)
    assert isinstance(setback, Later)
    assert setback.retry_after == 30


@pytest.mark.parametrize("date", [{}, {"date": "soon"}])
def test_without_a_date_of_the_answer_ours_will_do(date: dict[str, str]) -> None:
    setback = told(503, headers={"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT", **date})
    assert isinstance(setback, Later)
    assert setback.retry_after == 30
