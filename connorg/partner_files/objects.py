"""A partner as a JSON object: the body of a request, or what tools make of an organization.

Graph's own objects have fields that may not be sent; PowerShell writes names in PascalCase, and
puts what it does not know into `AdditionalProperties`; a table turned into JSON has the names of
its columns, as the results of a batch have.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic_core import to_json

from connorg.contract.asking import ask_fields
from connorg.contract.blanks import is_blank
from connorg.contract.fields import FIELDS, Column
from connorg.contract.headers import folded
from connorg.contract.identity_sources import (
    NAMING_FIELDS,
    SOURCE_KINDS,
    note_of_unused,
    typed,
)
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind
from connorg.partner_files.cells import Cells, filled
from connorg.partner_files.columns import NAMING_COLUMNS, meanings_of, shown
from connorg.partner_files.raw_rows import RawRow

_SOURCES = "identitySources"
# What Graph, or our own answers, have of an organization, and that can't be requested.
_READ_ONLY = {
    *("id", "createddatetime", "modifieddatetime", "deleteddatetime", "createdby", "modifiedby"),
    *("tenant", "additionalproperties"),
}
_KNOWN = {folded(field.wire_name): field.wire_name for field in FIELDS}
_KNOWN_OF_SOURCE = {folded(name): name for name in (*NAMING_FIELDS, "displayName")}
_ADDITIONAL = "additionalproperties"
_TYPE = "@odata.type"
_CUT_OFF = ("Microsoft.Graph.", "System.", "@{")
_MOST_NAMES = 256  # of columns
_NAMES = (*dict.fromkeys(kind.wire_name for kind in SOURCE_KINDS.values()), "displayName")


def object_row(number: int, element: Any) -> RawRow:
    """Return the row of an element, which may be anything."""
    fields = _request_in(element)
    if fields is None:
        request = partial(ask_fields, OnboardingRequest, element)
        return RawRow(number, "", len(to_json(element, inf_nan_mode="constants")), request)
    columns = _columns_of(fields)
    if columns is not None:
        return _cells_row(number, fields, columns)
    body, note, faults = _body_of(fields)
    return RawRow(
        number,
        name_of(body),
        len(to_json(body, inf_nan_mode="constants")),
        partial(ask_fields, OnboardingRequest, body),
        faults=faults,
        note=note,
    )


def name_of(fields: Mapping[str, Any]) -> str:
    """Name a partner by what there is."""
    sources = fields.get(_SOURCES)
    source = sources[0] if isinstance(sources, list) and sources else None
    known = {**fields, **source} if isinstance(source, dict) else fields
    names = (known.get(key) for key in _NAMES)
    return next((name.strip() for name in names if isinstance(name, str) and name.strip()), "")


def _request_in(element: Any) -> dict[str, Any] | None:
    """Take the request out of an onboarding, as our lists have it."""
    if not isinstance(element, dict):
        return None
    request = element.get("request")
    return request if isinstance(request, dict) and _SOURCES in request else element


# Tables that were turned into JSON


def _columns_of(fields: Mapping[str, Any]) -> dict[str, Column] | None:
    """Return the columns by the object's names, if it names its partner as a spreadsheet does."""
    if any(folded(name[:_MOST_NAMES]) == folded(_SOURCES) for name in fields):
        return None
    names = [*fields][:_MOST_NAMES]
    meanings = dict(zip(names, meanings_of(names), strict=True))
    columns = {name: column for name, column in meanings.items() if column is not None}
    return columns if {*NAMING_COLUMNS} & {*columns.values()} else None


def _cells_row(number: int, fields: Mapping[str, Any], columns: Mapping[str, Column]) -> RawRow:
    values = {column: _cell(fields[name]) for name, column in columns.items()}
    headers = {column: shown(name) for name, column in columns.items()}
    ignored = tuple(shown(name) for name in [*fields][:_MOST_NAMES] if name not in columns)
    return Cells(filled(values), headers).raw_row(number, {}, ignored)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(_cell, value))
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


# Organizations as Graph and PowerShell give them


def _body_of(fields: Mapping[str, Any]) -> tuple[dict[str, Any], str | None, dict[str, str]]:
    """Return the body, what was made of it, and what its form shows to be wrong."""
    body: dict[str, Any] = {}
    for name, value in fields.items():
        short = folded(name[:_MOST_NAMES])
        known = name if name == _TYPE else _KNOWN.get(short)
        if known is not None and known not in body:
            body[known] = value
        elif not (short in _READ_ONLY or "@odata." in name or is_blank(value)):
            body[name] = value  # which is reported by its name
    for name in map(str, SponsorKind):
        if isinstance(body.get(name), list):
            body[name] = [_sponsor(sponsor) for sponsor in body[name]]
    sources = body.get(_SOURCES)
    sources = [sources] if isinstance(sources, dict) else sources
    if not isinstance(sources, list):
        return body, None, {}
    if any(isinstance(source, str) and source.startswith(_CUT_OFF) for source in sources):
        fault = "PowerShell cut it off: write the file with ConvertTo-Json -Depth 10."
        return {**body, _SOURCES: []}, None, {f"/{_SOURCES}": fault}
    read = [_source(source) for source in sources]
    note = next((note for _, note in read if note is not None), None)
    return {**body, _SOURCES: [source for source, _ in read]}, note, {}


def _sponsor(sponsor: Any) -> Any:
    """Take the id of a user or group that Graph gives whole."""
    if not isinstance(sponsor, dict):
        return sponsor
    named = {folded(name): value for name, value in sponsor.items()}
    return named.get("userprincipalname") or named.get("id") or sponsor


def _source(source: Any) -> tuple[Any, str | None]:
    if not isinstance(source, dict):
        return source, None
    fields: dict[str, Any] = {}
    for name, value in source.items():
        if folded(name[:_MOST_NAMES]) == _ADDITIONAL:
            fields |= value if isinstance(value, dict) else {}
    for name, value in source.items():
        short = folded(name[:_MOST_NAMES])
        if short not in _READ_ONLY and not (is_blank(value) and name not in _KNOWN_OF_SOURCE):
            known = _KNOWN_OF_SOURCE.get(short)
            fields[known or name] = value
    given = {name: value for name, value in fields.items() if not is_blank(value)}
    if _TYPE in given:
        return fields, None
    read = typed(given)
    if read is None:
        return fields, None
    body, unused = read
    [used] = {kind.wire_name for kind in SOURCE_KINDS.values() if kind.odata_type == body[_TYPE]}
    return body, note_of_unused(used, {name: str(given[name]) for name in unused})
