"""The fields of a request, a row each. Whatever treats them alike goes through this table.

CONTRIBUTING.md says how a field is added; tests/unit/contract/test_extension_points.py names the
file of each part that is forgotten.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic.alias_generators import to_camel

from connorg.contract.headers import HEADERS, Spellings


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a spreadsheet of partners. Each is equal to itself alone."""

    header: str
    """As the documents write it. `headers` has what people write in its place."""
    read: Callable[[str], object] = str
    """Makes the value of a cell that is not blank."""

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        return HEADERS.get(self.header, Spellings()).spellings

    @cached_property
    def also(self) -> tuple[str, ...]:
        return HEADERS.get(self.header, Spellings()).also


@dataclass(frozen=True)
class RequestField:
    name: str
    """In Python; the wire has it in camelCase."""
    is_changeable: bool = False
    """Whether it is a text that Graph keeps and lets be changed after the create."""
    column: Column | None = None
    """None: no spreadsheet can hold it."""

    @cached_property
    def wire_name(self) -> str:
        return to_camel(self.name)


def _listed(cell: str) -> list[str]:
    # No sponsor's name can hold any of these.
    return [name for name in re.split(r"[;,\n\r]", cell) if name.strip()]


NAME_COLUMN = Column("Organization name")

FIELDS = (
    RequestField("display_name", is_changeable=True, column=NAME_COLUMN),
    RequestField("description", is_changeable=True, column=Column("Description")),
    RequestField("identity_sources"),  # see identity_sources.SOURCE_KINDS for their columns
    RequestField("state", is_changeable=True, column=Column("State", str.lower)),
    RequestField("internal_sponsors", column=Column("Internal sponsors", _listed)),
    RequestField("external_sponsors", column=Column("External sponsors", _listed)),
    RequestField("reference", column=Column("Reference")),
    RequestField("if_exists", column=Column("If exists", str.lower)),
    RequestField("callback_url"),
)
CHANGEABLE = tuple(field for field in FIELDS if field.is_changeable)

type Attributes = Mapping[str, str]
"""What Graph allows to change after the create, by the names in Python, as far as documented."""


def attributes_of(holder: object) -> Attributes:
    """Return the changeable fields of a request, of changes or of an organization."""
    values = {field.name: getattr(holder, field.name) for field in CHANGEABLE}
    return {name: str(value) for name, value in values.items() if value is not None}
