"""A partner of named cells: a row of a spreadsheet, or an object with the same names."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from connorg.contract.asking import USUAL, ask_fields
from connorg.contract.blanks import is_blank
from connorg.contract.domains import domain_of
from connorg.contract.fields import NAME_COLUMN, Column
from connorg.contract.identity_sources import (
    SOURCE_KINDS,
    SOURCE_TYPES,
    note_of_unused,
    source_type,
)
from connorg.contract.model import GUID
from connorg.contract.requests import IfExists, OnboardingRequest
from connorg.partner_files.columns import (
    CLOUD_COLUMN,
    EITHER,
    FIELD_COLUMNS,
    NAMING_COLUMNS,
    SOURCE_COLUMNS,
    TYPE_COLUMN,
    WEBSITE,
)
from connorg.partner_files.raw_rows import RawRow

_UNNAMED = "A partner"
_BETWEEN_DOMAINS = re.compile(r"[;,|\s]+")
_FORMULA = r"""['"]*[=+\-@\t\r＝＋－＠]"""  # noqa: RUF001
_QUOTED = re.compile(rf"""'(?:{_FORMULA}|(?s:.*)[;|\t\r\n]'{_FORMULA})""")
_QUOTE = re.compile(rf"(?<=[;|\t\r\n])'(?={_FORMULA})")


def plain(cell: str) -> str:
    """Take off the apostrophes by which a cell of our own files is kept from being a formula."""
    return _QUOTE.sub("", cell[1:]) if _QUOTED.match(cell) else cell


@dataclass(frozen=True)
class _Name:
    """What a cell names the partner by."""

    column: Column
    field: str
    """Of the identity source, on the wire."""
    value: str


@dataclass(frozen=True)
class Cells:
    """`values` are those that are not blank; `headers` as in the file."""

    values: Mapping[Column, str]
    headers: Mapping[Column, str]

    def raw_row(self, number: int, faults: Mapping[str, str], ignored: tuple[str, ...]) -> RawRow:
        """Return the row. `faults`: what else its form shows."""
        body = self._body()
        return RawRow(
            number,
            self._used.value if self._used else self.values.get(NAME_COLUMN, ""),
            len(json.dumps(body, ensure_ascii=False).encode()),
            partial(ask_fields, OnboardingRequest, body),
            self._origins(),
            {**dict(self._faults()), **faults},
            self._note,
            ignored,
        )

    @cached_property
    def _names(self) -> list[_Name]:
        """What names the partner, the first of which is used: a tenant id outweighs a domain."""
        named = [*self._all_names()]
        return sorted(named, key=lambda name: name.field != "tenantId")

    def _all_names(self) -> Iterator[_Name]:
        for column in (*SOURCE_COLUMNS, EITHER):
            if column in self.values:
                value = self.values[column].strip("{}")
                yield _Name(column, _field_of(column, value), value)
        if (website := self.values.get(WEBSITE)) is not None:
            yield _Name(WEBSITE, "domainName", domain_of(website))

    @property
    def _used(self) -> _Name | None:
        return self._names[0] if self._names else None

    @property
    def _type(self) -> str | None:
        """The type that a column names, as our own export does."""
        named = source_type({"@odata.type": self.values.get(TYPE_COLUMN)})
        return named if named in {*SOURCE_TYPES, "socialIdentitySource"} else None

    @property
    def _note(self) -> str | None:
        if self._used is None or self._type is not None:
            return None
        unused = {
            self.headers[name.column]: name.value
            for name in self._names[1:]
            if name.value.lower() != self._used.value.lower()
        }
        return note_of_unused(self.headers[self._used.column], unused)

    def _source(self) -> dict[str, str]:
        if self._used is None:
            return {}
        fields = {name.field: name.value for name in reversed(self._names)}
        kind = SOURCE_KINDS.get(self._type or "")
        if self._type is not None:
            fields["cloudInstance"] = self.values.get(CLOUD_COLUMN, "")
            keys = kind.key_fields if kind else ()
            odata_type = f"#microsoft.graph.{self._type}"
            return {"@odata.type": odata_type, **{key: fields.get(key, "") for key in keys}}
        [kind] = [kind for kind in SOURCE_COLUMNS.values() if kind.wire_name == self._used.field]
        return {"@odata.type": kind.odata_type, self._used.field: self._used.value}

    def _body(self) -> dict[str, Any]:
        fields = {
            field.wire_name: column.read(self.values[column])
            for column, field in FIELD_COLUMNS.items()
            if column in self.values
        }
        sources = [self._source()] if self._used else []
        return {**dict.fromkeys(USUAL), **self._unnamed(), "identitySources": sources, **fields}

    def _unnamed(self) -> dict[str, str]:
        """Return the request of a row without a name: the partner must exist, under any name.

        It is called by its tenant's name, where that is found out, else by its domain.
        """
        if NAME_COLUMN in self.values:
            return {}
        name = self._used.value.lower()[:253] if self._used else _UNNAMED
        return {"displayName": name, "ifExists": IfExists.RETURN}

    def _origins(self) -> dict[str, str]:
        """Return the headers by the JSON pointers of what came of their cells."""
        fields = {
            f"/{field.wire_name}": self.headers[column]
            for column, field in FIELD_COLUMNS.items()
            if column in self.headers
        }
        columns = [column for column in NAMING_COLUMNS if column in self.headers]
        source = self.headers[self._used.column if self._used else columns[0]]
        name = {"/displayName": self.headers.get(NAME_COLUMN, source)}
        return {**name, "/description": name["/displayName"], **fields, "/identitySources": source}

    def _faults(self) -> Iterator[tuple[str, str]]:
        if self._used is None:
            columns = [self.headers[c] for c in NAMING_COLUMNS if c in self.headers]
            yield "/identitySources", f"Fill {' or '.join(columns)}."
        elif self._used.field == "domainName":
            several = [part for part in _BETWEEN_DOMAINS.split(self._used.value) if "." in part]
            if len(several) > 1:
                detail = f"One domain per row: this cell has {len(several)}; use a row for each."
                yield "/identitySources/0/domainName", detail


def _field_of(column: Column, value: str) -> str:
    """Return what a cell holds, whatever its header: no domain is an id, no id has a full stop."""
    if GUID.fullmatch(value.lower()):
        return "tenantId"
    if column is EITHER or "." in value:
        return "domainName"
    return SOURCE_COLUMNS[column].wire_name


def filled(cells: Mapping[Column, str]) -> dict[Column, str]:
    """Leave blank cells out."""
    return {column: plain(cell) for column, cell in cells.items() if not is_blank(cell)}
