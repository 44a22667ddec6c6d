"""The request for one connected organization: Graph's create body, and what connorg adds.

Source: Microsoft Graph, "Create connectedOrganization" (v1.0 and beta).
"""

import unicodedata
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field

from connorg.contract.blanks import says_nothing
from connorg.contract.fields import Attributes, attributes_of
from connorg.contract.identity_sources import ONE_LINE, IdentitySource, Name, one_line
from connorg.contract.model import Model
from connorg.contract.sponsors import SponsorKind, Sponsors, Sponsorship

LARGEST_BODY = 16 * 1024  # bytes
LARGEST_REQUEST = 32 * 1024
"""Bytes of a request by whichever way it came. In Base64, with its envelope, it fits into a message
of 64 KiB; and into a column of a row.
"""
DESCRIPTION_LENGTH = 1024  # characters
REFERENCE_LENGTH = 256  # characters
ADDRESS_LENGTH = 2048  # characters


class State(StrEnum):
    CONFIGURED = "configured"
    PROPOSED = "proposed"


class IfExists(StrEnum):
    """What to do when the identity source is connected already."""

    RETURN = "return"
    FAIL = "fail"
    UPDATE = "update"


def _no_control_characters(text: str) -> str:
    text = text.strip()
    if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t" for c in text):
        raise ValueError("must not hold control characters")
    return text


def not_blank(text: str) -> str:
    if not text:
        raise ValueError("must not be blank")
    return text


def _exactly_one(sources: object) -> object:
    if not isinstance(sources, list | tuple):
        raise ValueError("must be an array with one identity source")  # noqa: TRY004  for Pydantic
    if len(sources) != 1:
        raise ValueError(f"must contain exactly one identity source, not {len(sources)}")
    return sources


Reference = Annotated[
    str,
    Field(max_length=REFERENCE_LENGTH, json_schema_extra={**ONE_LINE}),
    AfterValidator(one_line),
]

Description = Annotated[
    str,
    Field(max_length=DESCRIPTION_LENGTH, json_schema_extra={"minLength": 1, "pattern": r"\S"}),
    AfterValidator(_no_control_characters),
    AfterValidator(not_blank),
]
OdataType = (
    Literal["#microsoft.graph.connectedOrganization", "microsoft.graph.connectedOrganization"]
    | None
)


# Each field has a row in fields.FIELDS. A docstring would be in the description of the API.
class OnboardingRequest(Model):
    odata_type: OdataType = Field(None, alias="@odata.type", exclude=True)
    display_name: Annotated[Name, AfterValidator(not_blank)] = Field(
        description="The partner's name.", json_schema_extra={**ONE_LINE, "minLength": 1}
    )
    description: Description = Field(description="What the partner is to the company.")
    identity_sources: Annotated[tuple[IdentitySource], BeforeValidator(_exactly_one)] = Field(
        description="The partner's domain or tenant, exactly one."
    )
    state: State = Field(description="Whether access can be granted to it at once.")
    internal_sponsors: Sponsors | None = Field(
        None,
        description="Object ids or user principal names of people of your company.",
    )
    external_sponsors: Sponsors | None = Field(
        None,
        description="Object ids or user principal names of people of the partner.",
    )
    reference: Reference | None = Field(None, description="The ticket that it came from.")
    if_exists: IfExists | None = Field(
        None, description="What to do when the identity source is connected already."
    )
    # Anybody who knows the address can call it, so it is a secret: it is neither written nor shown.
    # Another address makes no other request. Its subscription carries it.
    callback_url: Annotated[str, Field(max_length=ADDRESS_LENGTH)] | None = Field(
        None,
        exclude=True,
        repr=False,
        description="The address to call when it has ended: https, at a host that is allowed.",
    )

    @property
    def identity_source(self) -> IdentitySource:
        return self.identity_sources[0]

    @property
    def natural_key(self) -> str:
        """What makes two requests be about the same organization."""
        return self.identity_source.natural_key

    def named_by_tenant(self, name: str | None) -> Self:
        """Return what a row without a name asks for, once the tenant's name is known.

        Its name is its domain or tenant id until then. The same request where it has another.
        """
        if self.if_exists is not IfExists.RETURN or not name or says_nothing(name):
            return self
        own = self.identity_source.partner_name
        named = {"display_name": name, "description": name}
        held = {field: text for field, text in named.items() if getattr(self, field) == own}
        return self.model_copy(update=held) if "display_name" in held else self

    @property
    def sponsorships(self) -> tuple[Sponsorship, ...]:
        """Return every sponsor that is asked for, the internal ones first."""
        asked = {
            SponsorKind.INTERNAL: self.internal_sponsors,
            SponsorKind.EXTERNAL: self.external_sponsors,
        }
        return tuple(
            Sponsorship(kind=kind, sponsor=sponsor)
            for kind, sponsors in asked.items()
            for sponsor in sponsors or ()
        )

    @property
    def attributes(self) -> Attributes:
        return attributes_of(self)
