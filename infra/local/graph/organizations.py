"""The connected organizations of the home tenant, as Graph keeps them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from infra.local.graph.config import Config
from infra.local.graph.errors import GraphError, Situation, not_found
from infra.local.graph.sources import IdentitySource, SourceKey

SPONSOR_KINDS = ("internalSponsors", "externalSponsors")

_TICKS_PER_SECOND = 10_000_000  # Graph counts time in steps of 100 ns


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller says of a new organization."""

    display_name: str
    description: str
    state: str
    source: IdentitySource


@dataclass(slots=True)
class Organization:
    number: int
    id: str
    display_name: str
    description: str
    state: str
    source: IdentitySource
    created: str
    modified: str
    created_by: str
    modified_by: str
    stored_at: float
    sponsors: dict[str, list[str]] = field(
        default_factory=lambda: {kind: [] for kind in SPONSOR_KINDS}
    )

    def entity(self, version: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id,
            "displayName": self.display_name,
            "description": self.description,
            "createdDateTime": self.created,
            "modifiedDateTime": self.modified,
            "state": self.state,
            "identitySources": [self.source.entity()],
        }
        if version == "beta":
            shown |= {"createdBy": self.created_by, "modifiedBy": self.modified_by}
        return shown

    def changed(self, changes: dict[str, str], app_id: str) -> None:
        self.display_name = changes.get("displayName", self.display_name)
        self.description = changes.get("description", self.description)
        self.state = changes.get("state", self.state)
        self.modified, self.modified_by = timestamp(time.time_ns()), app_id


class Organizations:
    """In order of creation. An organization is refused as a duplicate from the moment that it is
    stored, but read only once the consistency delay has passed."""

    def __init__(self) -> None:
        self._by_id: dict[str, Organization] = {}
        self._by_source: dict[SourceKey, Organization] = {}
        self._numbered = 0

    def __iter__(self) -> Iterator[Organization]:
        return iter(self._by_id.values())

    def add(self, draft: Draft, app_id: str, config: Config) -> Organization:
        """Raises GraphError for a duplicate, and at the tenant's limit."""
        self._refuse_duplicate(draft, config)
        if len(self._by_id) >= config.organization_limit:
            raise GraphError(
                config.limit_status,
                config.limit_code,
                f"The tenant has {config.organization_limit} connected organizations already.",
            )
        self._numbered += 1
        now = timestamp(time.time_ns())
        organization = Organization(
            number=self._numbered,
            id=str(uuid4()),
            display_name=draft.display_name,
            description=draft.description,
            state=draft.state,
            source=draft.source,
            created=now,
            modified=now,
            created_by=app_id,
            modified_by=app_id,
            stored_at=time.monotonic(),
        )
        self._by_id[organization.id] = self._by_source[draft.source.key] = organization
        return organization

    def get(self, organization_id: str, situation: Situation | None = None) -> Organization:
        """For writing: listed or not. Raises GraphError 404, in the situation given."""
        organization = self._by_id.get(organization_id.lower())
        if organization is None:
            raise not_found(f"The connected organization '{organization_id}'", situation)
        return organization

    def read(self, organization_id: str, config: Config) -> Organization:
        """For reading: not before it is listed. Raises GraphError 404."""
        organization = self.get(organization_id, "readUnknown")
        if organization.stored_at > _listed_until(config):
            raise not_found(f"The connected organization '{organization_id}'", "readUnknown")
        return organization

    def listed(self, config: Config) -> Iterator[Organization]:
        until = _listed_until(config)
        return (organization for organization in self if organization.stored_at <= until)

    def remove(self, organization_id: str) -> None:
        organization = self.get(organization_id, "deleteUnknown")
        del self._by_id[organization.id]
        del self._by_source[organization.source.key]

    def _refuse_duplicate(self, draft: Draft, config: Config) -> None:
        if draft.source.key in self._by_source:
            raise _duplicate(draft.source, config)
        if any(draft.display_name.casefold() == other.display_name.casefold() for other in self):
            _refuse_namesake(draft, config)


def _refuse_namesake(draft: Draft, config: Config) -> None:
    config.refuse("duplicateDisplayName")
    if config.unique_display_names:
        raise GraphError(
            config.duplicate_status,
            "ConnectedOrganizationAlreadyExists",
            f"A connected organization named '{draft.display_name}' already exists.",
        )


def _duplicate(source: IdentitySource, config: Config) -> GraphError:
    if source.is_tenant:
        return GraphError(
            config.duplicate_status,
            "ConnectedOrganizationAlreadyExists",
            "A connected organization for this tenant already exists.",
            situation="duplicateTenant",
        )
    return GraphError(
        config.duplicate_status,
        "IdentityProviderAlreadyConfigured",
        "The identity provider is already configured for a connected organization.",
        situation="duplicateDomain",
    )


def _listed_until(config: Config) -> float:
    return time.monotonic() - config.consistency_delay_seconds


def timestamp(nanoseconds: int) -> str:
    """UTC with up to seven fractional digits, their trailing zeros trimmed."""
    seconds, ticks = divmod(nanoseconds // 100, _TICKS_PER_SECOND)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ticks:07}".rstrip("0").rstrip(".") + "Z"
