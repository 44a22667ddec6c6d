"""Every way in which a call to Graph can fail, and what each means for an onboarding.

What an answer means is in `meanings`; here is what no answer means, and how both are reported.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from azure.core.exceptions import AzureError
from kiota_http._exceptions import KiotaHTTPXError

from connorg.contract.onboarding import OnboardingError
from connorg.contract.problems import ErrorCode as Code
from connorg.core.domain.errors import graph_timeout
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback
from connorg.graph.meanings import Call, Meaning, Row, Told, names_the_body, row_of
from connorg.graph.words import Words, words_of

_LONGEST_PAUSE = 24 * 60 * 60.0  # seconds; more is a mistake
_SHORTEST_PAUSE = 1.0  # seconds; less counts as nothing
_LONGEST_MESSAGE = 300  # characters of Graph's own sentence that are kept
_LONGEST_CODE = 200


@dataclass(frozen=True)
class Denied(Blocked):
    """Graph refuses the app one object; or everything, which a further call shows."""


def setback_of(error: Exception) -> Setback:
    """Turn what the SDK raised into a setback.

    Raise the error itself when it is none of Graph's, the network's or the identity's.
    """
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            # No connection was made, so nothing was sent.
            return Later(_error(Code.GRAPH_UNREACHABLE, "Microsoft Graph could not be reached."))
        case httpx.TimeoutException():
            return Later(graph_timeout(), ambiguous=True)
        case httpx.TransportError():
            text = "The connection to Microsoft Graph broke before it answered."
            return Later(_error(Code.GRAPH_CONNECTION_LOST, text), ambiguous=True)
        case httpx.HTTPError() | httpx.InvalidURL() | KiotaHTTPXError():
            # It answered: in an encoding that is none, or with redirects that lead nowhere.
            return unreadable()
        case AzureError():
            # azure-identity speaks before the call is sent.
            text = "The managed identity returned no token for Microsoft Graph."
            action = "Check that the app has a managed identity and that its endpoint answers."
            return Later(_error(Code.TOKEN_UNAVAILABLE, text, action))
    raise error


def setback_of_answer(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, now: datetime
) -> AlreadyConnected | Setback:
    """Return what an answer that is no success means. `headers`: their names in lower case."""
    words = words_of(body)
    told = Told(call, status, words, headers.get("www-authenticate", ""))
    row = row_of(told)
    error = _told_error(row, status, words, headers.get("request-id"))
    # A date is one of Graph's clock, which may be minutes ahead of ours, or behind.
    told_at = _moment(headers.get("date", "")) or now
    retry_after = retry_after_seconds(headers.get("retry-after"), told_at)
    match row.meaning:
        case Meaning.DUPLICATE:
            return AlreadyConnected(error)
        case Meaning.REFUSED:
            not_found = status in {404, 410} and call is not Call.CREATE
            return Refused(error, not_found=not_found, of_body=names_the_body(told))
        case Meaning.BLOCKED:
            return Blocked(error)
        case Meaning.OBJECT_DENIED:
            return Denied(error)
        case Meaning.THROTTLED:
            return Later(error, retry_after=retry_after, throttled=True)
        case Meaning.LATER:
            return Later(error, retry_after=retry_after)
        case Meaning.AMBIGUOUS:
            asked = row.code == Code.GRAPH_UNAVAILABLE and retry_after is not None
            return Later(error, ambiguous=True, retry_after=retry_after, throttled=asked)


def _told_error(row: Row, status: int, words: Words, request_id: str | None) -> OnboardingError:
    said = words.message or ", ".join(words.codes[1:])
    detail = " ".join(said.split())[:_LONGEST_MESSAGE]
    return OnboardingError(
        code=row.code,
        message=f"{row.text} It answered {status}" + (f": {detail}" if detail else "."),
        action=row.action,
        graph_code=words.code and words.code[:_LONGEST_CODE],
        graph_request_id=request_id and request_id[:_LONGEST_CODE],
        graph_status=status,
    )


def _error(code: Code, text: str, action: str | None = None) -> OnboardingError:
    return OnboardingError(code=code, message=text, action=action)


def unreadable() -> Later:
    """Say that a success could not be understood: it took place, a search will show what it did."""
    text = "Microsoft Graph's answer could not be understood."
    return Later(_error(Code.GRAPH_ANSWER_UNREADABLE, text), ambiguous=True)


def retry_after_seconds(value: str | None, told_at: datetime) -> float | None:
    """Read Retry-After: whole seconds, a float (both seen from Graph), or an HTTP date (RFC 9110).

    `told_at`: when it was sent, by the clock of the sender. Return 1 to a day; None for what is
    none of these, and for less than a second or a date that has passed.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _moment(value)
        if moment is None:
            return None
        seconds = (moment - told_at).total_seconds()
    if not math.isfinite(seconds) or seconds < _SHORTEST_PAUSE:
        return None
    return min(seconds, _LONGEST_PAUSE)


def _moment(http_date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
