"""Which onboardings a call is about: its filters, as query parameters."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import azure.functions as func
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from connorg.contract import channels
from connorg.contract.identifiers import BATCH_ID
from connorg.contract.onboarding import Status
from connorg.core.ports import OnboardingFilter
from connorg.functions.http.parameters import (
    HOST_KEY,
    Parameter,
    Schema,
    choice,
    reference,
    refused,
    text,
    word,
)

_WHILE = "[1-9][0-9]{0,5}[mhd]"
_TIME = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
    "(Z|[+-][0-9]{2}:[0-9]{2})"
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CODE = "^[A-Za-z]{1,40}$"
_WEBHOOK = channels.webhook("[a-z0-9-]{1,64}")
_CHANNEL = f"^({channels.HTTP}|{channels.QUEUE}|{channels.BATCH}|{_WEBHOOK})$"
_LONGEST_TEXT = 200  # characters


def _ago(text: str) -> timedelta:
    """Read a while, as in 24h or 7d. Raise ValueError."""
    if not re.fullmatch(_WHILE, text):
        raise ValueError("must be a while as in 90m, 24h or 30d")
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def _moment(text: str) -> datetime | timedelta:
    if re.fullmatch(_WHILE, text):
        return _ago(text)
    with suppress(ValidationError):
        if re.fullmatch(_TIME, text.upper()):  # a number alone would be seconds since 1970
            return _MOMENT.validate_strings(text)
    raise ValueError("must be a time as in 2026-11-02T09:30:00Z, or a while ago as in 24h or 7d")


def _code(text: str) -> str:
    if not re.fullmatch(_CODE, text):
        raise ValueError("must be an error code such as GraphThrottled")
    return text


_MOMENTS: Schema = {
    "type": "string",
    "pattern": f"^({_WHILE}|{_TIME})$",
    "examples": ["2026-11-02T09:30:00Z", "24h", "7d"],
}
_CHANNELS = f"must be {channels.HTTP}, {channels.QUEUE}, {channels.BATCH} or webhook:<source>"
STATUS = choice("status", "The status.", Status)
CODE: Parameter[str | None] = Parameter(
    HOST_KEY,
    "The error code, where the key is sent as a header.",
    {"type": "string", "pattern": _CODE},
    _code,
    None,
)
CHANNEL = word(
    "channel",
    "How the requests came in: http, queue, batch, webhook:….",
    _CHANNEL,
    _CHANNELS,
)
SOURCE = word("source", "The old name of channel.", _CHANNEL, _CHANNELS)
REFERENCE = reference("The ticket that they came from.")
BATCH = word("batch", "The batch that they are rows of.", BATCH_ID, "must be the id of a batch")
SINCE: Parameter[datetime | timedelta | None] = Parameter(
    "since",
    "Accepted at this time or later: a time, or an age such as 24h.",
    _MOMENTS,
    _moment,
    None,
)
UNTIL: Parameter[datetime | timedelta | None] = Parameter(
    "until",
    "Accepted at this time or earlier: a time, or an age such as 24h.",
    _MOMENTS,
    _moment,
    None,
)
TEXT = text("text", "In the name, the partner or the reference, in any case.", _LONGEST_TEXT)
OLDER_THAN = Parameter(
    "olderThan",
    "How long they were not changed.",
    {"type": "string", "pattern": f"^{_WHILE}$", "examples": ["30d", "12h"], "default": "30d"},
    _ago,
    timedelta(days=30),
)
FILTERS = (STATUS, CODE, CHANNEL, SOURCE, REFERENCE, BATCH, SINCE, UNTIL, TEXT)


def filter_of(req: func.HttpRequest, now: datetime) -> OnboardingFilter:
    """Return the filter that the parameters of a request make. Raise ProblemError."""
    return OnboardingFilter(
        status=STATUS.of(req),
        channel=_channel_of(req),
        reference=REFERENCE.of(req),
        batch=BATCH.of(req),
        code=CODE.of(req),
        since=_at(SINCE.of(req), now),
        until=_at(UNTIL.of(req), now),
        text=TEXT.of(req),
    )


def _channel_of(req: func.HttpRequest) -> str | None:
    """Return the channel; `source` is the name that earlier versions had for it."""
    channel, source = CHANNEL.of(req), SOURCE.of(req)
    if channel is not None and source is not None and channel != source:
        detail = "channel and source are the same filter; they name different channels."
        raise refused(detail, "Send channel alone.")
    return source if channel is None else channel


def moment_ago(ago: timedelta, now: datetime) -> datetime:
    # No moment lies as far back as a number of six digits can say.
    return now - min(now - _EPOCH, ago)


def _at(told: datetime | timedelta | None, now: datetime) -> datetime | None:
    match told:
        case timedelta():
            return moment_ago(told, now)
        case datetime():
            return max(_EPOCH, told)
        case None:
            return None
