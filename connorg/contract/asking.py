"""A request as somebody asks for it. What is blank counts as left out, in every way in.

    "reference": "n/a"        as if it were not there
    "description": ""         the partner's name
    "state": null             configured
    "displayName": "null"     a fault: the word counts as no value

What connorg wrote itself is read unchanged: see `parsing`.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from connorg.contract.blanks import is_blank
from connorg.contract.faults import Fault
from connorg.contract.identity_sources import NAMING_FIELDS, SOURCE_KINDS, source_type
from connorg.contract.model import ASKED
from connorg.contract.parsing import (
    InvalidValuesError,
    json_text_of,
    parse_fields,
    unreadable,
)
from connorg.contract.requests import (
    DESCRIPTION_LENGTH,
    LARGEST_REQUEST,
    OnboardingRequest,
    State,
)

_LISTS = ("internalSponsors", "externalSponsors")
_UNNAMED = "A partner"
_LONGEST_WORD = 40  # characters of a word for nothing that an answer repeats

type _Words = dict[str, str]
"""The words for no value where a value is required, by JSON pointer."""


def ask[R: OnboardingRequest](model: type[R], body: bytes | str) -> R:
    """Read the JSON text of a request. Raise MalformedBodyError, InvalidValuesError."""
    text = json_text_of(body)
    try:
        fields = from_json(text)
    except ValueError as error:
        raise unreadable(str(error)) from None
    return ask_fields(model, fields)


def ask_fields[R: OnboardingRequest](model: type[R], fields: object) -> R:
    """Read what the JSON text of a request came to. Raise as `ask` does."""
    words: _Words = {}
    asked = _asked(model, fields, words) if isinstance(fields, dict) else fields
    try:
        request = parse_fields(model, asked, ASKED)
    except InvalidValuesError as error:
        raise InvalidValuesError(tuple(_named(fault, words) for fault in error.faults)) from None
    size = len(request.model_dump_json(exclude_none=True).encode())
    if size > LARGEST_REQUEST:
        detail = f"It has {size} bytes in all; at most {LARGEST_REQUEST} are kept."
        raise InvalidValuesError((Fault(pointer="", detail=detail),))
    return request


def _named(fault: Fault, words: _Words) -> Fault:
    word = words.get(fault.pointer)
    if word is None:
        return fault
    detail = f"{word[:_LONGEST_WORD]!r} counts as no value; a value is required here."
    return Fault(pointer=fault.pointer, detail=detail)


def _asked(model: type[OnboardingRequest], fields: dict[str, Any], words: _Words) -> dict[str, Any]:
    required = {field.alias: field.is_required() for field in model.model_fields.values()}
    asked: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "identitySources" and isinstance(value, list):
            asked[name] = [_source(source, f"/{name}/{i}", words) for i, source in enumerate(value)]
        elif name in _LISTS and isinstance(value, list):
            if kept := [one for one in value if not is_blank(one)]:
                asked[name] = kept
        elif not is_blank(value):
            asked[name] = value
        elif name in _USUAL:
            asked[name] = _USUAL[name](fields)
        elif name not in required:
            asked[name] = value  # no field at all, which is reported
        elif required[name]:
            asked[name] = _required(value, f"/{name}", words)
    return asked


def _source(source: Any, pointer: str, words: _Words) -> Any:
    kind = SOURCE_KINDS.get(source_type(source) or "")
    if not isinstance(source, dict) or kind is None:
        return source
    asked: dict[str, Any] = {}
    for name, value in source.items():
        if not is_blank(value):
            asked[name] = value
        elif name in kind.key_fields:
            asked[name] = _required(value, f"{pointer}/{name}", words)
        elif name != "displayName" and name not in NAMING_FIELDS:
            asked[name] = value  # no field at all, which is reported
    return asked


def _required(value: Any, pointer: str, words: _Words) -> Any:
    """Return what the model refuses. Of a word it would not know that it is one."""
    if isinstance(value, str) and value.strip():
        words[pointer] = value.strip()
        return ""
    return value


def _description(fields: Mapping[str, Any]) -> str:
    """Return the name, for Graph demands a description. A wrong name is reported once."""
    name = fields.get("displayName")
    if not isinstance(name, str) or is_blank(name):
        return _UNNAMED
    return "".join(c if c.isprintable() else " " for c in name)[:DESCRIPTION_LENGTH]


def _state(_: Mapping[str, Any]) -> str:
    return State.CONFIGURED


_USUAL = {"description": _description, "state": _state}
USUAL = frozenset(_USUAL)
"""The fields that have a usual value, by their names on the wire."""
