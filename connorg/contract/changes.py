"""What can be changed of an existing organization."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connorg.contract.blanks import says_nothing
from connorg.contract.fields import CHANGEABLE, Attributes, attributes_of
from connorg.contract.identity_sources import Name
from connorg.contract.model import Model
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import Description, OdataType, State
from connorg.contract.sponsors import Sponsor


def _something(text: str) -> str:
    if says_nothing(text):
        what = f"{text!r}, which counts as no value" if text else "blank"
        raise ValueError(f"must not be {what}")
    return text


class OrganizationChanges(Model):
    """The body of a PATCH.

    Source: Microsoft Graph, "Update a connectedOrganization object".
    """

    odata_type: OdataType = Field(None, alias="@odata.type", exclude=True)
    display_name: Annotated[Name, AfterValidator(_something)] | None = None
    description: Annotated[Description, AfterValidator(_something)] | None = None
    state: State | None = None

    @model_validator(mode="after")
    def _change_something(self) -> Self:
        if not attributes_of(self):
            *names, last = (field.wire_name for field in CHANGEABLE)
            raise ValueError(f"must hold {', '.join(names)} or {last}")
        return self

    def wanted_of(self, organization: ConnectedOrganization) -> Attributes:
        return {**organization.attributes, **attributes_of(self)}


class NewSponsor(Model):
    sponsor: Sponsor


class OrganizationReference(Model):
    """A reference to an organization, as OData writes it."""

    odata_id: Annotated[
        str, Field(alias="@odata.id", pattern=r"(^|/)connectedOrganizations/[0-9A-Za-z-]{1,64}/?$")
    ]

    @property
    def organization_id(self) -> str:
        return self.odata_id.rstrip("/").rpartition("/")[2]


class SubjectOrganization(Model):
    """The body of "Add connectedOrganization" (beta): an organization as that page shows it.

    Its example leaves the values of the identity source out, so those are not asked for.
    """

    odata_type: OdataType = Field(None, alias="@odata.type")
    display_name: str | None = None
    description: str | None = None
    created_by: str | None = None
    modified_by: str | None = None
    identity_sources: tuple[Annotated[dict[str, str | None], Field(max_length=8)], ...] = Field(
        (), max_length=8
    )
    state: State | None = None
