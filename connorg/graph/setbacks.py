"""Every way in which a call to Graph can fail, and what each means for an onboarding.

Sources: Microsoft Graph, "Microsoft Graph error responses and resource types" and "Microsoft Graph
throttling guidance". The codes of refused duplicates are not documented; they come from community
reports, their HTTP status is unknown, so the code decides whatever the status.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from azure.core.exceptions import AzureError
from kiota_abstractions.api_error import APIError

from connorg.contract.onboarding import OnboardingError
from connorg.contract.problems import ErrorCode as Code
from connorg.core.domain.errors import graph_timeout
from connorg.core.domain.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback

DUPLICATE_CODES = frozenset(
    {"ConnectedOrganizationAlreadyExists", "IdentityProviderAlreadyConfigured"}
)
_LONGEST_PAUSE = 24 * 60 * 60.0  # seconds; who asks for more has made a mistake
_LONGEST_MESSAGE = 300  # characters of Graph's own sentence that are kept

_GRANT = (
    "Grant the app's managed identity the app role EntitlementManagement.ReadWrite.All of Microsoft"
    " Graph, or the directory role Identity Governance Administrator."
)
_LICENSE = (
    "The tenant needs a Microsoft Entra ID Governance licence. Once it is there, Graph can take up"
    " to 8 hours to notice."
)
_FULL = (
    "A tenant holds at most 2,500 connected organizations. Delete those that are not needed any"
    " more, then replay this onboarding."
)


def setback_of(error: Exception, now: datetime) -> AlreadyConnected | Setback:
    """Turn what the SDK raised into a setback.

    Raises the error itself when it is none of Graph's, the network's or the identity's.
    """
    match error:
        case APIError():
            return _answered(error, now)
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            # No connection was made, so nothing was sent.
            return Later(_error(Code.GRAPH_UNREACHABLE, "Microsoft Graph could not be reached."))
        case httpx.TimeoutException():
            return Later(graph_timeout(), ambiguous=True)
        case httpx.TransportError():
            text = "The connection to Microsoft Graph broke before it answered."
            return Later(_error(Code.GRAPH_CONNECTION_LOST, text), ambiguous=True)
        case AzureError():
            # azure-identity speaks before the call is sent.
            text = "The managed identity gave no token for Microsoft Graph."
            action = "See that the app has a managed identity and that its endpoint answers."
            return Later(_error(Code.TOKEN_UNAVAILABLE, text, action))
    raise error


def _answered(error: APIError, now: datetime) -> AlreadyConnected | Setback:
    status = error.response_status_code or 0
    headers = {name.lower(): value for name, value in (error.response_headers or {}).items()}
    graph_error = _GraphError(error, headers)
    # A date is one of Graph's clock, which may be minutes ahead of ours, or behind.
    told_at = _moment(headers.get("date", "")) or now
    retry_after = retry_after_seconds(headers.get("retry-after"), told_at)
    if graph_error.graph_code in DUPLICATE_CODES:
        return AlreadyConnected(
            graph_error.error(Code.ALREADY_CONNECTED, "The identity source is taken.")
        )
    match status:
        case 401:
            return Blocked(
                graph_error.error(
                    Code.TOKEN_REJECTED, "Microsoft Graph rejected the token.", _GRANT
                )
            )
        case 403 if graph_error.graph_code == "NoLicense":
            return Blocked(
                graph_error.error(Code.LICENSE_MISSING, "A licence is missing.", _LICENSE)
            )
        case 403 if graph_error.speaks_of_a_limit:
            return Refused(
                graph_error.error(Code.TENANT_FULL, "The tenant holds no more of them.", _FULL)
            )
        case 403:
            return Blocked(
                graph_error.error(Code.PERMISSION_MISSING, "A permission is missing.", _GRANT)
            )
        case 429:
            throttled = graph_error.error(
                Code.GRAPH_THROTTLED, "Microsoft Graph asked us to call less often."
            )
            return Later(throttled, retry_after=retry_after, throttled=True)
        case 408 | 409 | 412 | 423:
            # Graph is busy with the same object; it says that it did nothing.
            busy = graph_error.error(
                Code.GRAPH_BUSY, "Microsoft Graph was busy with the organization."
            )
            return Later(busy, ambiguous=status == 408, retry_after=retry_after)
        case _ if 400 <= status < 500:
            action = "Correct the request and send it again."
            refused = graph_error.error(
                Code.REFUSED_BY_GRAPH, "Microsoft Graph refused it.", action
            )
            return Refused(refused, not_found=status == 404)
        case _:
            # 5xx, and answers that HTTP does not have: it may have been carried out.
            down = graph_error.error(Code.GRAPH_UNAVAILABLE, "Microsoft Graph failed inside.")
            asked = retry_after is not None
            return Later(down, ambiguous=True, retry_after=retry_after, throttled=asked)


class _GraphError:
    """What Graph's error says of itself, as far as it can be read."""

    def __init__(self, error: APIError, headers: Mapping[str, str]) -> None:
        main = getattr(error, "error", None)
        self.graph_code: str | None = getattr(main, "code", None)
        self._message: str | None = getattr(main, "message", None)
        self._status = error.response_status_code
        self._request_id = headers.get("request-id")

    @property
    def speaks_of_a_limit(self) -> bool:
        """Tell a full tenant from a right that lacks: Graph's code for it is not documented."""
        return any(word in (self.graph_code or "").lower() for word in ("quota", "limit"))

    def error(self, code: Code, text: str, action: str | None = None) -> OnboardingError:
        detail = " ".join((self._message or "").split())[:_LONGEST_MESSAGE]
        return OnboardingError(
            code=code,
            message=f"{text} It answered {self._status}" + (f": {detail}" if detail else "."),
            action=action,
            graph_code=self.graph_code,
            graph_request_id=self._request_id,
            graph_status=self._status,
        )


def _error(code: Code, text: str, action: str | None = None) -> OnboardingError:
    return OnboardingError(code=code, message=text, action=action)


def unreadable() -> Later:
    """Say that a success could not be understood: it took place, a search will show what it did."""
    text = "Microsoft Graph's answer could not be understood."
    return Later(_error(Code.GRAPH_ANSWER_UNREADABLE, text), ambiguous=True)


def retry_after_seconds(value: str | None, told_at: datetime) -> float | None:
    """Read Retry-After: whole seconds, a float (both seen from Graph), or an HTTP date (RFC 9110).

    `told_at`: when it was sent, by the clock of the sender. Gives None for what is none of these,
    else 0 to a day.
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
    return min(max(0.0, seconds), _LONGEST_PAUSE) if math.isfinite(seconds) else None


def _moment(http_date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
