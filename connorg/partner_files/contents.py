"""What a file is: by its declared kind, and by its content where that says otherwise."""

import re

from connorg.partner_files.json_rows import SEVERAL_DOCUMENTS, json_rows
from connorg.partner_files.raw_rows import FileUnreadableError, RawRows
from connorg.partner_files.spreadsheet import Spreadsheet, is_spreadsheet

_SPREADSHEETS = {"text/csv", "text/tab-separated-values", "application/csv"}
_JSON = re.compile(r"application/(x-|[a-z.-]+\+)?(nd)?json(l|-?lines|-seq)?")
_LINE_END = re.compile(r"[\r\n]")
_KEEP_LINE_ENDS = (
    "The file is a single line: its line breaks were lost. curl -d removes them; send it with"
    " curl --data-binary @FILE."
)


def rows_of(text: str, content_type: str | None) -> tuple[RawRows, tuple[str, ...]]:
    """Return the rows of a file, and the columns that are not read.

    Raise FileUnreadableError where it can't be said what the rows are.
    """
    try:
        return _rows_of(text, (content_type or "").partition(";")[0].strip().lower())
    except FileUnreadableError as error:
        raise (lost_line_ends(text, str(error)) or error) from None


def lost_line_ends(text: str, detail: str) -> FileUnreadableError | None:
    """Return the error of a file that holds nothing, since all of it is one line."""
    one_line = _LINE_END.search(text) is None
    is_known = detail.startswith(SEVERAL_DOCUMENTS) or is_spreadsheet(text)
    return FileUnreadableError(detail, _KEEP_LINE_ENDS) if one_line and is_known else None


def _rows_of(text: str, media_type: str) -> tuple[RawRows, tuple[str, ...]]:
    looks_like_json = text.lstrip()[:1] in {"[", "{"}
    is_declared_json = _JSON.fullmatch(media_type) is not None
    is_table = is_spreadsheet(text)
    if looks_like_json and not (media_type in _SPREADSHEETS and is_table):
        return json_rows(text), ()
    if is_declared_json and not is_table:
        return json_rows(text), ()
    spreadsheet = Spreadsheet(text)
    return spreadsheet.raw_rows(), spreadsheet.ignored_columns
