"""The columns of a spreadsheet of partners, by the headers that people write."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from connorg.partner_files.drafts import FileUnreadableError

_MOST = 256  # of columns; a spreadsheet of partners has a dozen
_LONGEST_HEADER = 64  # characters of a header that an answer repeats
_MOST_NAMED = 12  # headers that a sentence repeats


class Column(StrEnum):
    """What a column tells, by the header that the documents give it."""

    DOMAIN = "Domain"
    TENANT = "Tenant ID"
    NAME = "Organization name"
    DESCRIPTION = "Description"
    STATE = "State"
    INTERNAL_SPONSORS = "Internal sponsors"
    EXTERNAL_SPONSORS = "External sponsors"
    REFERENCE = "Reference"
    IF_EXISTS = "If exists"


# Without case, blanks and signs.
_HEADERS = {
    "domain": Column.DOMAIN,
    "domainname": Column.DOMAIN,
    "tenant": Column.TENANT,
    "tenantid": Column.TENANT,
    "organization": Column.NAME,
    "organizationname": Column.NAME,
    "organisation": Column.NAME,
    "organisationname": Column.NAME,
    "name": Column.NAME,
    "displayname": Column.NAME,
    "partner": Column.NAME,
    "description": Column.DESCRIPTION,
    "state": Column.STATE,
    "sponsors": Column.INTERNAL_SPONSORS,
    "internalsponsors": Column.INTERNAL_SPONSORS,
    "externalsponsors": Column.EXTERNAL_SPONSORS,
    "reference": Column.REFERENCE,
    "ticket": Column.REFERENCE,
    "ifexists": Column.IF_EXISTS,
}
_ACTION = (
    f"Give the first row these headers: {Column.DOMAIN} or {Column.TENANT}, and {Column.NAME}."
    f" {', '.join(list(Column)[3:])} may follow."
)


@dataclass(frozen=True)
class Columns:
    width: int
    places: dict[Column, int]
    headers: dict[Column, str]
    """As they stand in the file."""
    ignored: tuple[str, ...]

    def cell(self, cells: Sequence[str], column: Column) -> str:
        place = self.places.get(column, self.width)
        return cells[place].strip() if place < min(self.width, len(cells)) else ""


def known_in(cells: Sequence[str]) -> int:
    """Count the headers that are known."""
    return sum(_meaning(cell) is not None for cell in cells[:_MOST])


def columns_of(cells: Sequence[str]) -> Columns:
    """Read the header. Raises FileUnreadableError where it does not tell what is needed."""
    headers = _trimmed(cells)
    if len(headers) > _MOST:
        raise FileUnreadableError(
            f"The header has {len(headers)} columns; at most {_MOST} are read.", _ACTION
        )
    places: dict[Column, int] = {}
    for place, header in enumerate(headers):
        column = _meaning(header)
        if column is not None and places.setdefault(column, place) != place:
            raise _two(column, headers[places[column]], header)
    _require(places, headers)
    return Columns(
        len(headers),
        places,
        {column: headers[place] for column, place in places.items()},
        tuple(header for header in headers if header and _meaning(header) is None),
    )


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Take the empty cells off the end, which spreadsheets leave there."""
    width = next((i for i in range(len(cells), 0, -1) if cells[i - 1].strip()), 0)
    return [_shown(cell) for cell in cells[:width]]


def _shown(header: str) -> str:
    return " ".join(header[: 2 * _LONGEST_HEADER].split())[:_LONGEST_HEADER]


def _meaning(header: str) -> Column | None:
    if len(header) > 2 * _LONGEST_HEADER:
        return None
    return _HEADERS.get(re.sub(r"[\W_]", "", header.casefold()))


def _require(places: dict[Column, int], headers: Sequence[str]) -> None:
    if Column.DOMAIN not in places and Column.TENANT not in places:
        lacking = f"column {Column.DOMAIN} or {Column.TENANT}"
    elif Column.NAME not in places:
        lacking = f"column {Column.NAME}"
    else:
        return
    named = ", ".join(repr(header) for header in headers[:_MOST_NAMED])
    more = f" and {len(headers) - _MOST_NAMED} more" if len(headers) > _MOST_NAMED else ""
    raise FileUnreadableError(
        f"The file has no {lacking}. It has {named or 'none'}{more}.", _ACTION
    )


def _two(column: Column, first: str, second: str) -> FileUnreadableError:
    return FileUnreadableError(
        f"Two columns are taken for {column}: {first!r} and {second!r}.",
        "Remove one of them, or give it another header.",
    )
