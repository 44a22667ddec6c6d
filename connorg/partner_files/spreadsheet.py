"""Partners as a spreadsheet saves them: a header, a row each, and maybe something above them."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from connorg.partner_files.cells import Cells, filled
from connorg.partner_files.columns import Columns, columns_of, is_header, known_in
from connorg.partner_files.raw_rows import FileUnreadableError, RawRow, RawRows

_DELIMITERS = (",", ";", "\t", "|")
# Excel's own line about the delimiter. It shows no such row, so none is counted.
_DECLARED = re.compile(r"sep=([,;\t|])[ \t,;|]*(\r\n|\r|\n)", re.IGNORECASE)
_LONGEST_LOOK = 16 * 1024  # characters at the start in which the delimiter is looked for
_PREAMBLE = 25  # rows at the start in which the header is looked for


class Spreadsheet:
    """A CSV file. Raises FileUnreadableError at once for its header, in `raw_rows` for them."""

    def __init__(self, text: str) -> None:
        declared = _DECLARED.match(text)
        text = text[declared.end() :] if declared else text
        delimiter = declared[1] if declared else _delimiter(text)
        self._rows = _rows(text, delimiter)
        header = _header_among(_first_rows(text, delimiter))
        cells = next((cells for number, cells in self._rows if number >= header), ())
        self._columns = columns_of(cells)

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        return self._columns.ignored

    def raw_rows(self) -> RawRows:
        for number, cells in self._rows:
            yield _raw_row(number, cells, self._columns) if cells else None


def is_spreadsheet(text: str) -> bool:
    """Whether there is a header that names partners."""
    return any(
        is_header(cells)
        for delimiter in _DELIMITERS
        for cells in _first_rows(text, delimiter).values()
    )


def _delimiter(text: str) -> str:
    """Choose what makes most known headers, and then most cells, of the row that has most."""

    def known_and_cells(delimiter: str) -> tuple[int, int]:
        rows = _first_rows(text, delimiter)
        cells = rows.get(_header_among(rows)) or text.partition("\n")[0].split(delimiter)
        return known_in(cells), len(cells)

    return max(_DELIMITERS, key=known_and_cells)


def _first_rows(text: str, delimiter: str) -> dict[int, list[str]]:
    """Return what can be the header, by its number: rows that are neither blank nor a comment."""
    lines = csv.reader(
        io.StringIO(text[:_LONGEST_LOOK], newline=""), delimiter=delimiter, skipinitialspace=True
    )
    rows = enumerate(islice(lines, _PREAMBLE), start=1)
    return {number: cells for number, cells in rows if any(map(str.strip, cells))}


def _header_among(rows: dict[int, list[str]]) -> int:
    """Return the number of the header: what has most known headers, or else the first.

    A title is one cell, whatever it says.
    """
    usable = {number: cells for number, cells in rows.items() if not _is_comment(cells)}
    headers = {number: cells for number, cells in usable.items() if is_header(cells)} or usable
    return max(headers, key=lambda number: known_in(headers[number]), default=1)


def _is_comment(cells: Sequence[str]) -> bool:
    """Whether it is a remark, or PowerShell's `#TYPE`. A name in a row of others may begin so."""
    first = cells[0].lstrip()
    alone = not any(map(str.strip, cells[1:]))
    return first.startswith("#TYPE ") or (first.startswith("#") and alone)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Return each row with its number, the first being 1; a blank row has no cells."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            is_blank = not any(map(str.strip, cells)) or _is_comment(cells)
            yield number, [] if is_blank else cells
    except csv.Error as error:
        raise FileUnreadableError(
            f"Row {number + 1} can't be read as CSV: {_reason(error)}.",
            "Look for a quotation mark there that opens a cell and does not close it, or that"
            ' is single in a quoted cell: write it twice (""), or remove it.',
        ) from None


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "end of data" in text:
        return "a cell in quotation marks has no end"
    if "field limit" in text:
        return f"a cell has more than {csv.field_size_limit()} characters"
    return "text follows the quotation mark that closes a cell"


def _raw_row(number: int, cells: Sequence[str], columns: Columns) -> RawRow:
    values = filled({column: columns.cell(cells, column) for column in columns.places})
    return Cells(values, columns.headers).raw_row(number, dict(_surplus_fault(cells, columns)), ())


def _surplus_fault(cells: Sequence[str], columns: Columns) -> Iterator[tuple[str, str]]:
    if any(cell.strip() for cell in cells[columns.width :]):
        counts = f"Has {len(cells)} cells, the header {columns.width}"
        yield "", f"{counts}: put a cell that holds the delimiter in quotation marks."
