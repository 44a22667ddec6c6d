"""Partners as a spreadsheet saves them: a header, a row each."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from connorg.contract.asking import USUAL, ask_fields
from connorg.contract.blanks import is_blank
from connorg.contract.fields import NAME_COLUMN, Column
from connorg.contract.requests import OnboardingRequest
from connorg.partner_files.columns import (
    FIELD_COLUMNS,
    SOURCE_COLUMNS,
    Columns,
    columns_of,
    known_in,
)
from connorg.partner_files.raw_rows import FileUnreadableError, RawRow, RawRows

_DELIMITERS = (",", ";", "\t")
# Excel's own word on what stands between the cells. It shows no such row, so none is counted.
_DECLARED = re.compile(r"sep=([,;\t|])[ \t,;|]*(\r\n|\r|\n)", re.IGNORECASE)
_LONGEST_LOOK = 16 * 1024  # characters at the start in which the delimiter is looked for


class Spreadsheet:
    """A CSV file. Raises FileUnreadableError at once for its header, in `drafts` for its rows."""

    def __init__(self, text: str) -> None:
        declared = _DECLARED.match(text)
        text = text[declared.end() :] if declared else text
        self._rows = _rows(text, declared[1] if declared else _delimiter(text))
        self._columns = columns_of(next((cells for _, cells in self._rows if cells), ()))

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        return self._columns.ignored

    def raw_rows(self) -> RawRows:
        for number, cells in self._rows:
            yield _raw_row(number, cells, self._columns) if cells else None


def _delimiter(text: str) -> str:
    """Choose what makes most known headers, and then most cells, of the first line."""

    def known_and_cells(delimiter: str) -> tuple[int, int]:
        lines = csv.reader(io.StringIO(text[:_LONGEST_LOOK], newline=""), delimiter=delimiter)
        cells = next(filter(None, lines), [])
        return known_in(cells), len(cells)

    return max(_DELIMITERS, key=known_and_cells)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row with its number, the header being 1; a blank row has no cells."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells if any(map(str.strip, cells)) else []
    except csv.Error as error:
        raise FileUnreadableError(
            f"Row {number + 1} can't be read as CSV: {_reason(error)}.",
            "Look for a quotation mark there that opens a cell and does not close it, or that"
            ' stands alone in a quoted cell: write it twice (""), or remove it.',
        ) from None


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "end of data" in text:
        return "a cell in quotation marks has no end"
    if "field limit" in text:
        return f"a cell has more than {csv.field_size_limit()} characters"
    return "text follows the quotation mark that closes a cell"


def _raw_row(number: int, cells: Sequence[str], columns: Columns) -> RawRow:
    values = {column: columns.cell(cells, column) for column in columns.places}
    filled = {column: cell for column, cell in values.items() if not is_blank(cell)}
    named = [column for column in SOURCE_COLUMNS if column in filled]
    body = _body(filled)
    return RawRow(
        number,
        filled.get(named[0] if named else NAME_COLUMN, ""),
        len(json.dumps(body, ensure_ascii=False).encode()),
        partial(ask_fields, OnboardingRequest, body),
        _origins(columns, named),
        dict(chain(_sources_fault(named, columns), _surplus_fault(cells, columns))),
    )


def _body(filled: Mapping[Column, str]) -> dict[str, Any]:
    return {
        **dict.fromkeys(USUAL),
        "displayName": filled.get(NAME_COLUMN, ""),
        "identitySources": [
            {
                "@odata.type": kind.odata_type,
                kind.wire_name: filled[column],
            }
            for column, kind in SOURCE_COLUMNS.items()
            if column in filled
        ],
        **{
            field.wire_name: column.read(filled[column])
            for column, field in FIELD_COLUMNS.items()
            if column in filled
        },
    }


def _origins(columns: Columns, named: Sequence[Column]) -> dict[str, str]:
    """Give the headers by the JSON pointers of what came of their cells."""
    source = named[0] if named else next(c for c in SOURCE_COLUMNS if c in columns.places)
    fields = {
        f"/{field.wire_name}": columns.headers[column]
        for column, field in FIELD_COLUMNS.items()
        if column in columns.headers
    }
    name = columns.headers[NAME_COLUMN]
    return {"/description": name, **fields, "/identitySources": columns.headers[source]}


def _sources_fault(named: Sequence[Column], columns: Columns) -> Iterator[tuple[str, str]]:
    headers = [columns.headers[column] for column in SOURCE_COLUMNS if column in columns.headers]
    if not named:
        yield "/identitySources", f"Fill {' or '.join(headers)}."
    elif len(named) > 1:
        yield "/identitySources", f"Fill either {' or '.join(headers)}, not both."


def _surplus_fault(cells: Sequence[str], columns: Columns) -> Iterator[tuple[str, str]]:
    if any(cell.strip() for cell in cells[columns.width :]):
        counts = f"Has {len(cells)} cells, the header {columns.width}"
        yield "", f"{counts}: put a cell that holds the delimiter in quotation marks."
