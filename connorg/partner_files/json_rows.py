"""Partners as JSON: an array, or a line each; every element is the body of a request."""

import io
from collections.abc import Iterable
from functools import partial
from typing import Any

from pydantic_core import from_json, to_json

from connorg.contract.asking import ask, ask_fields
from connorg.contract.identity_sources import SOURCE_KINDS
from connorg.contract.requests import OnboardingRequest
from connorg.partner_files.raw_rows import FileUnreadableError, RawRow, RawRows

_NAMES = (
    *dict.fromkeys(kind.wire_name for kind in SOURCE_KINDS.values()),
    "displayName",
)


def array_rows(text: str) -> RawRows:
    """Read an array; its elements are counted from 1. Raises FileUnreadableError."""
    try:
        elements = from_json(text)
    except ValueError as error:
        raise FileUnreadableError(
            f"The file is not JSON that can be read: {error}.",
            "Send a JSON array of partners, or one JSON object in each line.",
        ) from None
    if not isinstance(elements, list):
        raise FileUnreadableError(
            "The file is JSON, but no array.",
            "Send an array of partners, or one in each line as application/x-ndjson.",
        )
    return _raw_rows(elements)


def line_rows(text: str) -> RawRows:
    """Read NDJSON; the lines are counted from 1, blank ones too."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        yield _line_row(number, line) if line.strip() else None


def _line_row(number: int, line: str) -> RawRow:
    # From its text, which may be no JSON: what is wrong with that is told with its place.
    size = len(line.encode())
    return RawRow(number, _name_in(line), size, partial(ask, OnboardingRequest, line))


def _raw_rows(elements: Iterable[Any]) -> RawRows:
    for number, element in enumerate(elements, start=1):
        size = len(to_json(element, inf_nan_mode="constants"))
        request = partial(ask_fields, OnboardingRequest, element)
        yield RawRow(number, _name_of(element), size, request)


def _name_in(line: str) -> str:
    try:
        return _name_of(from_json(line))
    except ValueError:
        return ""


def _name_of(element: Any) -> str:
    """Name a partner by what there is: the element may be anything."""
    fields = element if isinstance(element, dict) else {}
    sources = fields.get("identitySources")
    source = sources[0] if isinstance(sources, list) and sources else None
    known = {**fields, **source} if isinstance(source, dict) else fields
    names = (known.get(key) for key in _NAMES)
    return next((name.strip() for name in names if isinstance(name, str) and name.strip()), "")
