"""Values as Graph returns them: read as far as possible, and passed on unchanged."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter, ValidationError, WithJsonSchema

_DATE_TIME = TypeAdapter(datetime)


class ToldDateTime(datetime):
    """A moment that remembers how it was written: Graph's dates have seven digits of a second."""

    text: str

    @classmethod
    def of(cls, moment: datetime, text: str) -> Self:
        if moment.tzinfo is None:  # Graph's dates are in UTC
            moment, text = moment.replace(tzinfo=UTC), f"{text}Z"
        told = cls.fromtimestamp(moment.timestamp(), moment.tzinfo)
        told.text = text
        return told


def _read(value: object) -> object:
    if isinstance(value, datetime) or value is None:
        return value
    try:
        moment = _DATE_TIME.validate_python(value)
        return ToldDateTime.of(moment, value) if isinstance(value, str) else moment
    except (ValidationError, ValueError, OverflowError):
        return None


def _written(moment: datetime) -> str:
    if isinstance(moment, ToldDateTime):
        return moment.text
    text: str = _DATE_TIME.dump_python(moment, mode="json")
    return text


def _text(value: object) -> object:
    return value if isinstance(value, str) or value is None else None


def _objects(value: object) -> Any:
    """Read a collection; one that is null or none is empty."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(item for item in value if item is not None and not isinstance(item, str | int))


_Moment = Annotated[
    datetime,
    PlainSerializer(_written, return_type=str, when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
DateTimeAsTold = Annotated[_Moment | None, BeforeValidator(_read)]
TextAsTold = Annotated[str | None, BeforeValidator(_text)]
READ_OBJECTS = BeforeValidator(_objects)
