"""Partners as JSON: an array, one object, an answer's `value`, or a line each."""

import io
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, NoReturn

from pydantic_core import from_json

from connorg.contract.parsing import MalformedBodyError
from connorg.partner_files.objects import object_row
from connorg.partner_files.raw_rows import FileUnreadableError, RawRow, RawRows

_LISTS = (
    "value",
    "Value",
    "values",
    "items",
    "partners",
    "organizations",
    "connectedOrganizations",
)
_LOOKED_AT = 20  # lines, to see whether each is a document
_PLACE = re.compile(r" at line ([0-9]+) column ([0-9]+)$")
_ACTION = "Send a JSON array of partners, or one JSON object in each line."
SEVERAL_DOCUMENTS = "The file is several JSON documents"
_JOIN = "Put each partner on a line of its own (jq -c .), or send one array (jq -s .)."


def json_rows(text: str) -> RawRows:
    """Read JSON of whatever form. Raise FileUnreadableError where it is none."""
    try:
        document = from_json(text)
    except ValueError as error:
        if _has_documents_in_lines(text):
            return _line_rows(text)
        raise _unreadable(text, str(error)) from None
    if isinstance(document, dict):
        found = next((document[name] for name in _LISTS if _is_list(document, name)), None)
        # One line is one line of many, so that lines are counted in the same way.
        return _element_rows(found) if found is not None else _one_row(text, document)
    if isinstance(document, list):
        return _element_rows(document)
    raise FileUnreadableError("The file is JSON, but neither an array nor an object.", _ACTION)


def _is_list(document: dict[str, Any], name: str) -> bool:
    return "identitySources" not in document and isinstance(document.get(name), list)


def _has_documents_in_lines(text: str) -> bool:
    """Whether lines are documents by themselves: of the first ones the first, or most of them."""
    if not text.lstrip().startswith("{"):
        return False
    lines = [line for line in islice(_lines(text), _LOOKED_AT) if line.strip()]
    whole = [_is_document(line) for line in lines]
    return len(lines) > 1 and (whole[0] or 2 * sum(whole) > len(whole))


def _is_document(line: str) -> bool:
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False


def _unreadable(text: str, reason: str) -> FileUnreadableError:
    place = _PLACE.search(reason)
    if reason.startswith("trailing characters") and text.lstrip().startswith("{") and place:
        if _at(text, place).startswith(","):
            return FileUnreadableError(
                f"The file is not JSON that can be read: line {place[1]}, column {place[2]}: a"
                " comma between objects, without brackets around them.",
                "Put [ before the first partner and ] behind the last one.",
            )
        return FileUnreadableError(
            f"{SEVERAL_DOCUMENTS}: another one begins in line {place[1]}.", _JOIN
        )
    where = f"line {place[1]}, column {place[2]}: " if place else ""
    why = _PLACE.sub("", reason)
    return FileUnreadableError(f"The file is not JSON that can be read: {where}{why}.", _ACTION)


def _at(text: str, place: re.Match[str]) -> str:
    """Return the text at a place in lines and columns, both counted from 1."""
    line = next(islice(_lines(text), int(place[1]) - 1, None), "")
    return line.encode()[int(place[2]) - 1 :][:16].decode(errors="replace")


def _one_row(text: str, document: dict[str, Any]) -> RawRows:
    if len(text.strip().splitlines()) > 1:
        return _element_rows([document])
    return _line_rows(text)


def _element_rows(elements: Iterable[Any]) -> RawRows:
    """Return the rows of elements, counted from 1."""
    for number, element in enumerate(elements, start=1):
        yield object_row(number, element)


def _line_rows(text: str) -> RawRows:
    """Return the rows of lines, counted from 1, blank ones too."""
    for number, line in enumerate(_lines(text), start=1):
        yield _line_row(number, line) if line.strip() else None


def _lines(text: str) -> Iterable[str]:
    return io.StringIO(text, newline="")


def _line_row(number: int, line: str) -> RawRow:
    try:
        return object_row(number, from_json(line.rstrip()))
    except ValueError as error:
        reason = str(error)

    def refuse() -> NoReturn:
        place = _PLACE.search(reason)
        where = f"column {place[2]}: " if place else ""
        why = _PLACE.sub("", reason)
        raise MalformedBodyError(f"Line {number} is not JSON that can be read: {where}{why}.")

    return RawRow(number, "", len(line.encode()), refuse)
