"""Sponsors: users and groups that answer for an organization and can approve requests.

Source: Microsoft Graph, "Add internalSponsors" and "Add externalSponsors".
"""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from connorg.contract.model import GUID, Model, is_asked

MOST_SPONSORS = 20  # of each kind in one request; each is a call to Graph
_LONGEST = 256  # characters
# As Entra has them; a guest's holds `#EXT#`. What could end or split an address is left out.
# Of the dialects of patterns all know \x22 and \x27, and few an escaped quote.
_LEFT_OUT = r"@\s/\\?%:;,\x22\x27<>()\x00-\x1f"
_PRINCIPAL_NAME = re.compile(rf"[^{_LEFT_OUT}]+@[^#{_LEFT_OUT}]+")


# Of both, for readers of the schema.
_PATTERN = f"^({GUID.pattern.replace('a-f', 'A-Fa-f')}|{_PRINCIPAL_NAME.pattern})$"


class SponsorKind(StrEnum):
    INTERNAL = "internalSponsors"
    EXTERNAL = "externalSponsors"


def _sponsor(text: str, info: ValidationInfo) -> str:
    """Return the one spelling: Entra compares ids and principal names without regard to case."""
    sponsor = text.strip().lower()
    if not (GUID.fullmatch(sponsor) or _PRINCIPAL_NAME.fullmatch(sponsor)):
        raise ValueError(
            "must be the object id of a user or group, or a user principal name"
            " such as ada@contoso.com"
        )
    if is_asked(info) and not sponsor.isprintable():
        raise ValueError("must not hold characters that can't be seen")
    return sponsor


def _each_once(sponsors: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sponsors))


Sponsor = Annotated[
    str,
    Field(
        max_length=_LONGEST,
        json_schema_extra={"pattern": _PATTERN},
    ),
    AfterValidator(_sponsor),
]
Sponsors = Annotated[
    tuple[Sponsor, ...], Field(max_length=MOST_SPONSORS), AfterValidator(_each_once)
]


class Sponsorship(Model):
    """One sponsor of an organization, of one kind."""

    kind: SponsorKind
    sponsor: Sponsor
    """An object id or a user principal name."""


class SponsorObject(Model, extra="ignore"):
    """A user or a group as Graph lists it."""

    odata_type: str | None = Field(None, alias="@odata.type")
    id: str
    display_name: str | None = None
    user_principal_name: str | None = None

    def is_named(self, sponsor: str) -> bool:
        return sponsor in {self.id.lower(), (self.user_principal_name or "").lower()}
