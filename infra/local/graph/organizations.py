"""The connected organizations of the home tenant, as Graph keeps them."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from infra.local.graph.config import Config
from infra.local.graph.errors import GraphError, Situation, bad_request, not_found
from infra.local.graph.sources import Source, SourceKey, is_tenant, key_of
from infra.local.graph.values import ordinal

SPONSOR_KINDS = ("internalSponsors", "externalSponsors")
_OF_BETA = frozenset({"createdBy", "modifiedBy"})
_NONE = frozenset[str]()

_TICKS_PER_SECOND = 10_000_000  # Graph counts time in steps of 100 ns


@dataclass(slots=True)
class Organization:
    """``entity`` is what Graph stores of it, as JSON, with the properties that beta alone shows."""

    entity: dict[str, Any]
    stored_at: float = field(default_factory=time.monotonic)
    sponsors: dict[str, list[str]] = field(
        default_factory=lambda: {kind: [] for kind in SPONSOR_KINDS}
    )

    @property
    def id(self) -> str:
        return str(self.entity["id"])

    @property
    def sources(self) -> list[Source]:
        return [source for source in self.entity["identitySources"] or () if source is not None]

    def shown(self, version: str) -> dict[str, Any]:
        hidden = hidden_in(version)
        return {name: value for name, value in self.entity.items() if name not in hidden}

    def change(self, changes: Mapping[str, Any], app_id: str) -> None:
        self.entity |= {name: value for name, value in changes.items() if name != "id"}
        self.entity |= {"modifiedDateTime": timestamp(time.time_ns()), "modifiedBy": app_id}


def hidden_in(version: str) -> frozenset[str]:
    """The properties that this version does not show."""
    return _NONE if version == "beta" else _OF_BETA


class Organizations:
    """Listed by id, and new ids come after older ones. An organization is refused as a duplicate
    from the moment that it is stored, but read only once the consistency delay has passed."""

    def __init__(self) -> None:
        self._by_id: dict[str, Organization] = {}
        self._by_source: dict[SourceKey, set[str]] = {}
        self._in_order: list[Organization] | None = None
        self._numbered = 0

    def __iter__(self) -> Iterator[Organization]:
        return iter(self._by_id.values())

    def lay(self, organizations: Iterable[Organization]) -> None:
        """These are all, whatever a create would say of them."""
        self._by_id = {}
        self._by_source = {}
        self._in_order = None
        for organization in organizations:
            self._keep(organization)

    def add(self, read: Mapping[str, Any], app_id: str, config: Config) -> Organization:
        """Raise GraphError for a duplicate, and at the tenant's limit."""
        if config.judges:
            self._refuse_duplicate(read, config)
        if len(self._by_id) >= config.organization_limit:
            raise GraphError(
                config.limit_status,
                config.limit_code,
                f"The tenant has {config.organization_limit} connected organizations already.",
            )
        now = timestamp(time.time_ns())
        organization = Organization(
            {
                "id": self._new_id(),
                "displayName": None,
                "description": None,
                "createdDateTime": now,
                "modifiedDateTime": now,
                "state": "configured",
                "identitySources": [],
                "createdBy": app_id,
                "modifiedBy": app_id,
                **read,
            }
        )
        self._keep(organization)
        return organization

    def get(self, organization_id: str, situation: Situation | None = None) -> Organization:
        """For writing: listed or not. Raise GraphError 404, in the situation given."""
        organization = self._by_id.get(organization_id.lower())
        if organization is None:
            raise not_found(f"The connected organization '{organization_id}'", situation)
        return organization

    def read(self, organization_id: str, config: Config) -> Organization:
        """For reading: not before it is listed. Raise GraphError 404."""
        organization = self.get(organization_id, "readUnknown")
        if organization.stored_at > _listed_until(config):
            raise not_found(f"The connected organization '{organization_id}'", "readUnknown")
        return organization

    def listed(self, config: Config) -> list[Organization]:
        if self._in_order is None:
            self._in_order = sorted(self, key=lambda organization: ordinal(organization.id))
        until = _listed_until(config)
        return [organization for organization in self._in_order if organization.stored_at <= until]

    def remove(self, organization_id: str, config: Config) -> None:
        """Raise GraphError for one that is unknown, or in use."""
        organization = self.get(organization_id, "deleteUnknown")
        if organization.id in config.holds:
            raise bad_request(
                "The connected organization is in use by an access package's policy or assignment.",
                "deleteHeld",
            )
        del self._by_id[organization.id.lower()]
        self._in_order = None
        for source in organization.sources:
            self._by_source.get(key_of(source), set()).discard(organization.id)

    def _keep(self, organization: Organization) -> None:
        self._by_id[organization.id.lower()] = organization
        self._in_order = None
        for source in organization.sources:
            self._by_source.setdefault(key_of(source), set()).add(organization.id)

    def _new_id(self) -> str:
        """A UUID of version 7 whose order is that of creation."""
        self._numbered += 1
        number = time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | (self._numbered & 0xFFF) << 64
        return str(UUID(int=number | 0x2 << 62 | int.from_bytes(os.urandom(7))))

    def _refuse_duplicate(self, read: Mapping[str, Any], config: Config) -> None:
        for source in read["identitySources"]:
            if self._by_source.get(key_of(source)):
                raise _duplicate(source, config)
        name = read["displayName"].casefold()
        if any(name == (other.entity["displayName"] or "").casefold() for other in self):
            _refuse_namesake(read["displayName"], config)


def _refuse_namesake(display_name: str, config: Config) -> None:
    config.refuse("duplicateDisplayName")
    if config.unique_display_names:
        raise GraphError(
            config.duplicate_status,
            "ConnectedOrganizationAlreadyExists",
            f"A connected organization named '{display_name}' already exists.",
        )


def _duplicate(source: Source, config: Config) -> GraphError:
    if is_tenant(source):
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
