"""A file of partners, as a person or a script made it: what each row asks for, or its faults.

Nothing here asks Graph or storage: what is wrong with a file is known before anything begins.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from connorg.contract.faults import Fault, RowFault
from connorg.contract.fields import FIELDS, RequestField
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError
from connorg.contract.requests import LARGEST_BODY, OnboardingRequest
from connorg.partner_files.contents import lost_line_ends, rows_of
from connorg.partner_files.raw_rows import (
    FileTooLargeError,
    FileUnreadableError,
    RawRow,
    RawRows,
    column_of,
)
from connorg.partner_files.text import text_of

__all__ = [
    "LARGEST_FILE",
    "MOST_ROWS",
    "FileTooLargeError",
    "FileUnreadableError",
    "PartnerFile",
    "PartnerRow",
    "read_partners",
]

LARGEST_FILE = 4_000_000  # bytes; the host refuses 100,000 more (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT)
MOST_ROWS = 5_000  # twice what a tenant can hold
_MOST_BLANK_ROWS = 100_000
_ROWS_AT_A_TIME = 50  # a few milliseconds, in which no other call is served
_MOST_FAULTS = 10  # of a row; further ones are counted
_LONGEST_NAME = 256  # characters
_MOST_IGNORED = 256  # names of columns that are reported
_LONGEST_IGNORED = 50  # characters of such a name

type _Seen = dict[str, tuple[int, OnboardingRequest]]
"""The first row that asks for each identity source."""


@dataclass(frozen=True)
class PartnerRow:
    number: int
    """A spreadsheet's row, with the header as 1; an array's element, counted from 1; a line."""
    name: str
    """The domain or tenant, as it is written."""
    request: OnboardingRequest | None
    """None: the row has faults."""
    faults: tuple[RowFault, ...] = ()
    duplicate_of: int | None = None
    """The number of an earlier row that asks for the same."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The file's headers by the JSON pointers of what came of their cells."""
    note: str | None = None
    """What was made of it, where that is not plain: which of two names of the partner is used."""

    def column_of(self, pointer: str) -> str | None:
        """Name the column of a fault that is found later."""
        return column_of(self.columns, pointer)


@dataclass(frozen=True)
class PartnerFile:
    rows: tuple[PartnerRow, ...]
    ignored_columns: tuple[str, ...] = ()


async def read_partners(body: bytes, content_type: str | None) -> PartnerFile:
    """Read every row, and find all of its faults. Others are served meanwhile.

    Raise FileTooLargeError, and FileUnreadableError where it can't be said what the rows are.
    """
    if len(body) > LARGEST_FILE:
        raise _too_large(f"The file has {len(body)} bytes; at most {LARGEST_FILE} are read.")
    text = text_of(body)
    if not text.strip():
        raise FileUnreadableError("The file is empty.", "Add a row for each partner.")
    raw_rows, ignored = rows_of(text, content_type)
    read = await _filled(raw_rows)
    if not read:
        empty = "The file contains no partners."
        usual = FileUnreadableError(empty, "Add a row for each partner.")
        raise lost_line_ends(text, empty) or usual
    seen: _Seen = {}
    rows = tuple([_row(raw, seen) async for raw in _in_turns(read)])
    names = dict.fromkeys((*ignored, *chain.from_iterable(raw.ignored for raw in read)))
    return PartnerFile(rows, tuple(name[:_LONGEST_IGNORED] for name in [*names][:_MOST_IGNORED]))


async def _filled(raw_rows: RawRows) -> list[RawRow]:
    """Leave blank rows out, and read no more than is taken."""
    read: list[RawRow] = []
    blank = 0
    async for raw in _in_turns(raw_rows):
        if raw is None:
            blank += 1
        else:
            read.append(raw)
        if len(read) > MOST_ROWS:
            raise _too_large(f"The file has more than {MOST_ROWS} rows.")
        if blank > _MOST_BLANK_ROWS:
            raise _too_large(f"The file has more than {_MOST_BLANK_ROWS} blank rows; remove them.")
    return read


def _too_large(detail: str) -> FileTooLargeError:
    return FileTooLargeError(detail, "Split the file, and send the parts one after the other.")


async def _in_turns[Item](items: Iterable[Item]) -> AsyncIterator[Item]:
    """Go through items and let the event loop serve others now and then."""
    for place, item in enumerate(items):
        if place % _ROWS_AT_A_TIME == 0:
            await asyncio.sleep(0)
        yield item


def _row(raw: RawRow, seen: _Seen) -> PartnerRow:
    request, wrong = _validated(raw)
    if request is None:
        return _faulty(raw, wrong)
    number, first = seen.setdefault(request.natural_key, (raw.number, request))
    if first is request:
        return _good(raw, request)
    # A repeated row may have a ticket of its own. Whatever else differs contradicts the first one.
    detail = f"Row {number} asks for the same partner with another value here."
    differing = [Fault(pointer=pointer, detail=detail) for pointer in _differing(request, first)]
    if differing:
        return _faulty(raw, differing)
    return replace(_good(raw, request), duplicate_of=number)


def _good(raw: RawRow, request: OnboardingRequest) -> PartnerRow:
    return PartnerRow(raw.number, _name(raw), request, columns=raw.columns, note=raw.note)


def _faulty(raw: RawRow, wrong: Iterable[Fault]) -> PartnerRow:
    return PartnerRow(raw.number, _name(raw), None, _placed(raw, wrong))


def _name(raw: RawRow) -> str:
    return raw.name[:_LONGEST_NAME]


def _validated(raw: RawRow) -> tuple[OnboardingRequest | None, tuple[Fault, ...]]:
    # Measured first: what has a million faults would take its time to name them.
    if raw.size > LARGEST_BODY:
        too_long = Fault(pointer="", detail=f"Has more than {LARGEST_BODY} bytes; shorten it.")
        return None, (too_long,)
    try:
        request = raw.request()
    except MalformedBodyError as error:
        return None, (Fault(pointer="", detail=str(error)),)
    except InvalidValuesError as error:
        return None, error.faults
    return (None if raw.faults else request), ()


def _placed(raw: RawRow, wrong: Iterable[Fault]) -> tuple[RowFault, ...]:
    """Say where in the file each fault is. A fault of the form covers those that follow from it."""
    of_form = [Fault(pointer=pointer, detail=detail) for pointer, detail in raw.faults.items()]
    faults = [*of_form, *(fault for fault in wrong if fault.pointer not in raw.faults)]
    if len(faults) > _MOST_FAULTS:
        faults = [*faults[:_MOST_FAULTS], Fault(pointer="", detail="There are more faults.")]
    placed = [
        RowFault(
            row=raw.number,
            column=column_of(raw.columns, fault.pointer),
            pointer=fault.pointer,
            detail=fault.detail,
        )
        for fault in faults
    ]
    # A cell of which two fields are made is reported once.
    return tuple({(f.column or f.pointer, f.detail): f for f in reversed(placed)}.values())[::-1]


def _differing(request: OnboardingRequest, first: OnboardingRequest) -> Iterator[str]:
    """Return the JSON pointers of what two requests for one partner ask for differently."""
    return (
        _pointer(field)
        for field in FIELDS
        if field.name != "reference" and _asked(request, field) != _asked(first, field)
    )


def _pointer(field: RequestField) -> str:
    return "/identitySources/0" if field.name == "identity_sources" else f"/{field.wire_name}"


def _asked(request: OnboardingRequest, field: RequestField) -> object:
    """Return a field's value. An empty list asks for no more than none does, in whatever order."""
    value = getattr(request, field.name)
    return (frozenset(value) or None) if isinstance(value, tuple) else value
