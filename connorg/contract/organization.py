"""The connected organization as Graph returns it.

Source: Microsoft Graph, "connectedOrganization resource type".
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import ConfigDict, Field

from connorg.contract.as_told import READ_OBJECTS, DateTimeAsTold, TextAsTold
from connorg.contract.fields import CHANGEABLE, Attributes, attributes_of
from connorg.contract.model import Model
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind, SponsorObject, Sponsorship


class StoredIdentitySource(Model):
    """Any identity source that Graph may hold, also of types that can't be requested."""

    model_config = ConfigDict(extra="allow")

    odata_type: TextAsTold = Field(None, alias="@odata.type")
    display_name: TextAsTold = None
    domain_name: TextAsTold = None
    tenant_id: TextAsTold = None
    cloud_instance: TextAsTold = None


class Tenant(Model):
    """What Graph returns of the tenant behind a domain or a tenant id.

    Source: Microsoft Graph, "tenantInformation resource type".
    """

    model_config = ConfigDict(extra="ignore")

    tenant_id: str = Field(pattern=r"^[0-9a-fA-F-]{36}$")
    display_name: str | None = None
    default_domain_name: str | None = None


class ConnectedOrganization(Model):
    """What an onboarding's result shows. Graph's 201 leaves `identity_sources` empty."""

    model_config = ConfigDict(extra="ignore")

    id: str
    display_name: TextAsTold = None
    description: TextAsTold = None
    state: TextAsTold = None
    identity_sources: Annotated[tuple[StoredIdentitySource, ...], READ_OBJECTS] = ()
    created_date_time: DateTimeAsTold = None
    modified_date_time: DateTimeAsTold = None
    tenant: Tenant | None = None
    """Not Graph's: the tenant behind the identity source, where it was looked up."""

    @property
    def attributes(self) -> Attributes:
        return attributes_of(self)

    @property
    def etag(self) -> str:
        """Name the version by what can be changed of it: Graph has no ETag of its own."""
        held = self.attributes
        text = "\0".join((self.id, *(held.get(field.name, "") for field in CHANGEABLE)))
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


class SponsoredOrganization(ConnectedOrganization):
    """An organization with its sponsors, as Graph returns it if they are requested too."""

    internal_sponsors: tuple[SponsorObject, ...]
    external_sponsors: tuple[SponsorObject, ...]

    def sponsors(self, kind: SponsorKind) -> tuple[SponsorObject, ...]:
        return self.internal_sponsors if kind is SponsorKind.INTERNAL else self.external_sponsors


class Difference(Model):
    """An attribute whose value in the organization differs from the request.

    A missing sponsor is one too, with `internalSponsors` or `externalSponsors` for attribute.
    """

    attribute: str
    requested: str | None = None
    actual: str | None = None


def differences(requested: Attributes, actual: Attributes) -> tuple[Difference, ...]:
    """Return what is otherwise than requested. What a request leaves out may be as it is."""
    return tuple(
        Difference(attribute=field.wire_name, requested=wanted, actual=actual.get(field.name))
        for field in CHANGEABLE
        if (wanted := requested.get(field.name)) not in {None, actual.get(field.name)}
    )


def sponsor_differences(sponsorships: Iterable[Sponsorship]) -> tuple[Difference, ...]:
    """Return the sponsors that an organization is missing, as differences."""
    return tuple(
        Difference(attribute=lacked.kind, requested=lacked.sponsor, actual=None)
        for lacked in sponsorships
    )


def unmet(requested: OnboardingRequest, earlier: OnboardingRequest) -> tuple[Difference, ...]:
    """Return what a request asks for that an earlier one for the same organization did not."""
    more_sponsors = [s for s in requested.sponsorships if s not in earlier.sponsorships]
    return differences(requested.attributes, earlier.attributes) + sponsor_differences(
        more_sponsors
    )
