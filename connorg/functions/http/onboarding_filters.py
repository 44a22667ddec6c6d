"""Which onboardings a call is about: its filters, as query parameters."""

import re
from datetime import UTC, datetime, timedelta

import azure.functions as func
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from connorg.contract.onboarding import Status
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.core.ports import OnboardingFilter
from connorg.functions.http.parameters import choice_of

_AGO = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CODE = re.compile(r"[A-Za-z]{1,40}")
_LONGEST_TEXT = 200  # characters


def filter_of(req: func.HttpRequest, now: datetime) -> OnboardingFilter:
    """Return the filter that the parameters of a request make. Raise ProblemError."""
    return OnboardingFilter(
        status=choice_of(req, "status", Status),
        channel=_channel_of(req),
        reference=req.params.get("reference"),
        batch=req.params.get("batch"),
        code=code_of(req),
        since=_moment_of(req, "since", now),
        until=_moment_of(req, "until", now),
        text=_text_of(req),
    )


def code_of(req: func.HttpRequest) -> str | None:
    """Return the error code that is asked for; None: none, or `code` holds a function key.

    The host reads `code` as the key, unless there is the header x-functions-key. A key is longer
    than any error code, or holds more than letters.
    """
    code: str | None = req.params.get("code")
    return code if code is not None and _CODE.fullmatch(code) else None


def _channel_of(req: func.HttpRequest) -> str | None:
    """Return the channel; `source` is the name that earlier versions had for it."""
    channel: str | None = req.params.get("channel")
    source: str | None = req.params.get("source")
    if channel is not None and source is not None and channel != source:
        text = "channel and source are the same filter; they name different channels."
        raise ProblemError(ProblemKind.INVALID_PARAMETER, text, "Send channel alone.")
    return source if channel is None else channel


def _text_of(req: func.HttpRequest) -> str | None:
    text: str | None = req.params.get("text")
    if text is not None and len(text) > _LONGEST_TEXT:
        detail = f"text has at most {_LONGEST_TEXT} characters."
        raise ProblemError(ProblemKind.INVALID_PARAMETER, detail)
    return text


def older_than(req: func.HttpRequest, name: str, default: str, now: datetime) -> datetime:
    """Return the moment that lies as long ago as a parameter says. Raise ProblemError."""
    moment = _moment_ago(req.params.get(name, default), now)
    if moment is None:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER, f"{name} must be a time as in 90m, 24h or 30d."
        )
    return moment


def _moment_ago(text: str, now: datetime) -> datetime | None:
    """Return the moment a while ago, as in 24h or 7d; None: the text is no such while."""
    ago = _AGO.fullmatch(text)
    if ago is None:
        return None
    # No moment lies as far back as a number of six digits can say.
    return now - min(now - _EPOCH, timedelta(**{_UNITS[ago[2]]: int(ago[1])}))


def _moment_of(req: func.HttpRequest, name: str, now: datetime) -> datetime | None:
    text = req.params.get(name)
    if text is None:
        return None
    if (ago := _moment_ago(text, now)) is not None:
        return ago
    try:
        return max(_EPOCH, _MOMENT.validate_strings(text))
    except ValidationError:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER,
            f"{name} must be a time as in 2026-11-02T09:30:00Z, or a while ago as in 24h or 7d.",
        ) from None
