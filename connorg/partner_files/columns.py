"""The columns of a spreadsheet of partners, by the headers that people write."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connorg.contract.fields import FIELDS, NAME_COLUMN, Column, RequestField
from connorg.contract.identity_sources import SOURCE_KINDS, SourceKind
from connorg.partner_files.raw_rows import FileUnreadableError

_MOST = 256  # of columns; a spreadsheet of partners has a dozen
_LONGEST_HEADER = 64  # characters of a header that an answer repeats
_MOST_NAMED = 12  # headers that a sentence repeats


SOURCE_COLUMNS: Mapping[Column, SourceKind] = {
    kind.column: kind for kind in SOURCE_KINDS.values() if kind.column is not None
}
FIELD_COLUMNS: Mapping[Column, RequestField] = {
    field.column: field for field in FIELDS if field.column is not None
}
_EITHER = " or ".join(column.header for column in SOURCE_COLUMNS)
_OTHERS = ", ".join(column.header for column in FIELD_COLUMNS if column is not NAME_COLUMN)
_ACTION = (
    f"Give the first row these headers: {_EITHER}, and {NAME_COLUMN.header}. {_OTHERS} may follow."
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
    return _MEANINGS.get(_folded(header))


def _folded(header: str) -> str:
    """Give a header without case, blanks and signs."""
    return re.sub(r"[\W_]", "", header.casefold())


_MEANINGS = {
    _folded(header): column
    for column in (*SOURCE_COLUMNS, *FIELD_COLUMNS)
    for header in (column.header, *column.spellings)
}


def _require(places: dict[Column, int], headers: Sequence[str]) -> None:
    if not SOURCE_COLUMNS.keys() & places.keys():
        lacking = f"column {_EITHER}"
    elif NAME_COLUMN not in places:
        lacking = f"column {NAME_COLUMN.header}"
    else:
        return
    named = ", ".join(repr(header) for header in headers[:_MOST_NAMED])
    more = f" and {len(headers) - _MOST_NAMED} more" if len(headers) > _MOST_NAMED else ""
    raise FileUnreadableError(
        f"The file has no {lacking}. It has {named or 'none'}{more}.", _ACTION
    )


def _two(column: Column, first: str, second: str) -> FileUnreadableError:
    return FileUnreadableError(
        f"Two columns are taken for {column.header}: {first!r} and {second!r}.",
        "Remove one of them, or give it another header.",
    )
