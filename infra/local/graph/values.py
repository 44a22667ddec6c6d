"""Values of OData as they are compared: text, dates and times, and functions of text."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_TICKS_PER_SECOND = 10_000_000


def ordinal(value: Any) -> Any:
    """By UTF-16 units, null first: how .NET compares ordinally."""
    if value is None:
        return b""
    return b"\x00" + value.encode("utf-16-be") if isinstance(value, str) else value


def folded(value: Any) -> Any:
    return ordinal(value.casefold() if isinstance(value, str) else value)


@lru_cache(maxsize=65536)
def ticks(text: str) -> int:
    """Of a date with or without its time: steps of 100 ns since the year 1.

    Raise ValueError."""
    day, separator, rest = text.partition("T")
    clock = rest.rstrip("Z").partition("+")[0].partition("-")[0]
    whole, _, fraction = clock.partition(".")
    zone = rest[len(clock) :]
    moment = datetime.fromisoformat(f"{day}{separator}{whole}{zone}")
    if separator and moment.tzinfo is None:
        raise ValueError("The time zone is missing.")
    since = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.min.replace(tzinfo=UTC)
    return round(since.total_seconds()) * _TICKS_PER_SECOND + round(
        float(f"0.{fraction or 0}") * _TICKS_PER_SECOND
    )


def lower(value: str) -> str:
    """A letter at a time, as .NET does without a culture."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in value)


def upper(value: str) -> str:
    return "".join(up if len(up := letter.upper()) == 1 else letter for letter in value)


def length(value: str) -> int:
    return len(value.encode("utf-16-le")) // 2
