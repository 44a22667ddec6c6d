"""The columns of a spreadsheet of partners, by the headers that people write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connorg.contract.fields import FIELDS, Column, RequestField
from connorg.contract.headers import folded
from connorg.contract.identity_sources import SOURCE_KINDS, SourceKind
from connorg.partner_files.raw_rows import FileUnreadableError

_MOST = 256  # of columns; a spreadsheet of partners has a dozen
_LONGEST_HEADER = 64  # characters of a header that an answer repeats
_MOST_NAMED = 12  # headers that a sentence repeats

SOURCE_COLUMNS: Mapping[Column, SourceKind] = {
    kind.column: kind for kind in SOURCE_KINDS.values() if kind.column is not None
}
EITHER = Column("Domain or tenant ID")
WEBSITE = Column("Website")
NAMING_COLUMNS = (*SOURCE_COLUMNS, EITHER, WEBSITE)
"""Those that can name the partner. A row needs one of them."""
# As `GET connected-organizations` gives them.
TYPE_COLUMN = Column("Identity source")
CLOUD_COLUMN = Column("Cloud instance")
FIELD_COLUMNS: Mapping[Column, RequestField] = {
    field.column: field for field in FIELDS if field.column is not None
}
_COLUMNS = (*NAMING_COLUMNS, TYPE_COLUMN, CLOUD_COLUMN, *FIELD_COLUMNS)
_EITHER = " or ".join(column.header for column in SOURCE_COLUMNS)
_OTHERS = ", ".join(column.header for column in FIELD_COLUMNS)
_ACTION = f"Add a row with these headers: {_EITHER}, or {EITHER.header}. {_OTHERS} may follow."

type Meanings = Mapping[str, Column]
_MEANINGS: Meanings = {
    folded(header): column for column in _COLUMNS for header in (column.header, *column.spellings)
}
_FURTHER: Meanings = {header: column for column in _COLUMNS for header in column.also}
# The results of a batch: a row's name is what it asked for, its tenant what Graph made of that.
_RESULTS = {"row", "name", "status", "attempts"}
_OF_RESULTS: Meanings = {"name": EITHER}


@dataclass(frozen=True)
class Columns:
    width: int
    places: dict[Column, int]
    headers: dict[Column, str]
    """As in the file."""
    ignored: tuple[str, ...]

    def cell(self, cells: Sequence[str], column: Column) -> str:
        place = self.places.get(column, self.width)
        return cells[place].strip() if place < min(self.width, len(cells)) else ""


def meanings_of(headers: Sequence[str]) -> list[Column | None]:
    """Return what each header means; None: nothing that is known."""
    names = [_folded(header) for header in headers]
    if {*names} >= _RESULTS:
        return [_OF_RESULTS.get(name) for name in names]
    found = [_MEANINGS.get(name) for name in names]
    told = {*found}
    for place, name in enumerate(names):
        further = _FURTHER.get(name)
        if found[place] is None and further is not None and further not in told:
            found[place] = further
    return found


def _folded(header: str) -> str:
    return folded(header) if len(header) <= 2 * _LONGEST_HEADER else ""


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row names a column by which a partner can be known."""
    return any(column in NAMING_COLUMNS for column in meanings_of(cells[:_MOST]))


def known_in(cells: Sequence[str]) -> int:
    """Count the headers that are known."""
    return sum(column is not None for column in meanings_of(cells[:_MOST]))


def columns_of(cells: Sequence[str]) -> Columns:
    """Read the header. Raise FileUnreadableError if required columns are missing."""
    headers = _trimmed(cells)
    if len(headers) > _MOST:
        raise FileUnreadableError(
            f"The header has {len(headers)} columns; at most {_MOST} are read.", _ACTION
        )
    meanings = meanings_of(headers)
    places: dict[Column, int] = {}
    for place, column in enumerate(meanings):
        if column is not None and places.setdefault(column, place) != place:
            raise _two(column, headers[places[column]], headers[place])
    _require(places, headers)
    return Columns(
        len(headers),
        places,
        {column: headers[place] for column, place in places.items()},
        tuple(
            header
            for header, column in zip(headers, meanings, strict=True)
            if header and column is None
        ),
    )


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Take the empty cells off the end, which spreadsheets leave there."""
    width = next((i for i in range(len(cells), 0, -1) if cells[i - 1].strip()), 0)
    return [shown(cell) for cell in cells[:width]]


def shown(header: str) -> str:
    """Return a header as an answer repeats it."""
    return " ".join(header[: 2 * _LONGEST_HEADER].split())[:_LONGEST_HEADER]


def _require(places: dict[Column, int], headers: Sequence[str]) -> None:
    if places.keys() & {*NAMING_COLUMNS}:
        return
    named = ", ".join(repr(header) for header in headers[:_MOST_NAMED])
    more = f" and {len(headers) - _MOST_NAMED} more" if len(headers) > _MOST_NAMED else ""
    raise FileUnreadableError(
        f"The file has no column {_EITHER}. It has {named or 'none'}{more}.", _ACTION
    )


def _two(column: Column, first: str, second: str) -> FileUnreadableError:
    return FileUnreadableError(
        f"Two columns are taken for {column.header}: {first!r} and {second!r}.",
        "Remove one of them, or change its header.",
    )
