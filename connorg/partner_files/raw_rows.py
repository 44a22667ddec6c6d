"""What is read from a file of partners, before its rows are validated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from connorg.contract.requests import OnboardingRequest


class FileUnreadableError(Exception):
    """The file is not one that can be read. Its text says why, `action` what to do about it."""

    def __init__(self, detail: str, action: str) -> None:
        super().__init__(detail)
        self.action = action


class FileTooLargeError(FileUnreadableError):
    """The file has more bytes or more rows than are taken."""


@dataclass(frozen=True)
class RawRow:
    """A row as the body of a request, not yet validated."""

    number: int
    name: str
    """The partner as the file names it."""
    size: int
    """Bytes of its JSON text."""
    request: Callable[[], OnboardingRequest]
    """Validates it. Raises MalformedBodyError, InvalidValuesError."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Headers by the JSON pointer of what came of their cells."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """What the file's form alone shows to be wrong: sentences by JSON pointer."""
    note: str | None = None
    """What was made of the row, where that is not plain."""
    ignored: tuple[str, ...] = ()
    """Names of what is in it and is not read."""


def column_of(columns: Mapping[str, str], pointer: str) -> str | None:
    """Name the column that a place in a body came from; what is in a list came from one cell."""
    while pointer and pointer not in columns:
        pointer = pointer.rpartition("/")[0]
    return columns.get(pointer)


type RawRows = Iterator[RawRow | None]
"""None is a blank row."""
