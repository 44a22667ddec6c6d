"""The connected organization as Graph tells of it.

Source: Microsoft Graph, "connectedOrganization resource type".
"""

from datetime import datetime

from pydantic import ConfigDict, Field

from connorg.contract.model import Model
from connorg.contract.requests import Attributes


class StoredIdentitySource(Model):
    """Any identity source that Graph may hold, also of types that can't be requested."""

    model_config = ConfigDict(extra="allow")

    odata_type: str | None = Field(None, alias="@odata.type")
    display_name: str | None = None
    domain_name: str | None = None
    tenant_id: str | None = None
    cloud_instance: str | None = None


class ConnectedOrganization(Model):
    """What an onboarding's result shows. Graph's 201 leaves `identity_sources` empty."""

    model_config = ConfigDict(extra="ignore")

    id: str
    display_name: str | None = None
    description: str | None = None
    state: str | None = None
    identity_sources: tuple[StoredIdentitySource, ...] = ()
    created_date_time: datetime | None = None
    modified_date_time: datetime | None = None

    @property
    def attributes(self) -> Attributes:
        return Attributes(self.display_name, self.description, self.state)


class Difference(Model):
    """An attribute that the organization has otherwise than the request asked for."""

    attribute: str
    requested: str | None
    actual: str | None


def differences(requested: Attributes, actual: Attributes) -> tuple[Difference, ...]:
    names = ("displayName", "description", "state")
    return tuple(
        Difference(attribute=name, requested=wanted, actual=held)
        for name, wanted, held in zip(names, requested, actual, strict=True)
        if wanted != held
    )
