"""Graph behind the gateway port: what it stores, and how it fails.

It refuses a second organization for an identity source from the moment that the first is stored,
but lists an organization only some time later.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from connorg.contract.fields import Attributes
from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, StoredIdentitySource, Tenant
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind, SponsorObject, Sponsorship
from connorg.core.domain.outcomes import (
    AlreadyConnected,
    Blocked,
    Later,
    Namesake,
    Refused,
    Setback,
    SponsorSettled,
)
from connorg.graph.search import Page, Search

_FILTER = re.compile(r"(?:.*/(?P<field>\w+)|displayName) eq '(?P<value>.*?)'\)?")


type Filters = Literal["exact", "ignore case", "ignored", "refused", "empty"]


@dataclass(frozen=True)
class Dialect:
    """What is not known of how Graph searches and lists."""

    filters: Filters = "exact"
    page_size: int = 100
    empty_pages: bool = False
    """Whether an empty page with a nextLink comes before each."""
    capitals: bool = False
    """Whether Graph stores tenant ids and domains in capitals."""


@dataclass(frozen=True)
class Fault:
    setback: Setback
    commits: bool = False
    """Graph carried the call out all the same."""


def _error(code: str) -> OnboardingError:
    return OnboardingError(code=code, message="simulated")


_UNAVAILABLE = Later(_error("GraphUnavailable"), ambiguous=True)
_CONNECTION_LOST = Later(_error("GraphConnectionLost"), ambiguous=True)
_REFUSED = Refused(_error("RefusedByGraph"))
_NOT_FOUND = Refused(_error("RefusedByGraph"), not_found=True)
_MAY_NOT_LOOK_UP = Blocked(_error("PermissionMissing"))

FAULTS: Mapping[str, Fault] = {
    "throttled": Fault(Later(_error("GraphThrottled"), retry_after=7, throttled=True)),
    "throttled without a time": Fault(Later(_error("GraphThrottled"), throttled=True)),
    "told to wait": Fault(
        Later(_error("GraphUnavailable"), ambiguous=True, retry_after=7, throttled=True)
    ),
    "unavailable": Fault(_UNAVAILABLE),
    "unavailable after commit": Fault(_UNAVAILABLE, commits=True),
    "reset": Fault(_CONNECTION_LOST),
    "reset after commit": Fault(_CONNECTION_LOST, commits=True),
    "unreadable": Fault(Later(_error("GraphAnswerUnreadable"), ambiguous=True), commits=True),
    "request timeout": Fault(Later(_error("GraphBusy"), ambiguous=True)),
    "busy": Fault(Later(_error("GraphBusy"), ambiguous=True, retry_after=7)),
    "locked": Fault(Later(_error("GraphBusy"), retry_after=7)),
    "unreachable": Fault(Later(_error("GraphUnreachable"))),
    "no token": Fault(Later(_error("TokenUnavailable"))),
    "no permission": Fault(Blocked(_error("PermissionMissing"))),
    "no licence": Fault(Blocked(_error("LicenseMissing"))),
    "token rejected": Fault(Blocked(_error("TokenRejected"))),
    "refused": Fault(_REFUSED),
}


@dataclass
class Stored:
    """An organization, and what the invariants ask about it."""

    organization: ConnectedOrganization
    natural_key: str
    """Of the request; Graph's own key differs where a domain belongs to a tenant."""
    listed_at: datetime
    creator: str | None = None
    """The onboarding whose POST created it."""
    sponsors: dict[SponsorKind, list[str]] = field(
        default_factory=lambda: {kind: [] for kind in SponsorKind}
    )
    known: bool = False
    """An onboarding succeeded with it, so that its POST is not of unknown fate any more."""


class Graph:
    def __init__(self, now: Callable[[], datetime], listing_delay: Callable[[], float]) -> None:
        """`listing_delay` draws seconds for each new organization."""
        self._now = now
        self._listing_delay = listing_delay
        self._numbers = itertools.count(1)
        self.stored: dict[str, Stored] = {}
        self.commits: Counter[str] = Counter()
        self.tenant_of_domain: dict[str, str] = {}
        self.may_look_up_tenants = True
        self.tells_tenants_apart = True
        """Whether it refuses a domain and its tenant as two organizations."""
        self.clock_ahead = timedelta(0)
        """How far Graph's clock is ahead of ours."""
        self.unknown_sponsors: set[str] = set()
        self.dialect = Dialect()
        self.refused: set[str] = set()
        """Natural keys that Graph will never take."""

    def key_of(self, natural_key: str) -> str:
        """Name the identity source as Graph stores it: a tenant, where the domain has one."""
        kind, _, name = natural_key.partition(":")
        if kind == "domain" and name in self.tenant_of_domain:
            return f"tenant:{self.tenant_of_domain[name]}"
        return natural_key

    def tenant_of(
        self, source: DomainIdentitySource | AzureActiveDirectoryTenant
    ) -> Tenant | Setback:
        if not self.may_look_up_tenants:
            return _MAY_NOT_LOOK_UP
        kind, _, name = self.key_of(source.natural_key).partition(":")
        known = kind == "tenant" and name in self.tenant_of_domain.values()
        return Tenant(tenant_id=name) if known else _NOT_FOUND

    def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        key = self.key_of(request.natural_key)
        if request.natural_key in self.refused:
            return _REFUSED
        held = self.stored.get(key)
        if held and (self.tells_tenants_apart or held.natural_key == request.natural_key):
            return AlreadyConnected(_error("AlreadyConnected"))
        organization = ConnectedOrganization(
            id=f"organization{next(self._numbers)}",
            identity_sources=(_stored_source(key, request, capitals=self.dialect.capitals),),
            created_date_time=self._now() + self.clock_ahead,
            **request.attributes,
        )
        listed_at = self._now() + timedelta(seconds=self._listing_delay())
        self.stored[key] = Stored(organization, request.natural_key, listed_at)
        self.commits[key] += 1
        return organization.model_copy(update={"identity_sources": ()})

    def now(self) -> datetime:
        """See ports.Clock: ours, not Graph's."""
        return self._now()

    def page(self, odata_filter: str | None, next_link: str | None) -> Page | Setback:
        if odata_filter is not None and self.dialect.filters == "refused":
            return _REFUSED
        listed = [held.organization for held in self.stored.values() if self.is_listed(held)]
        shown = [one for one in listed if odata_filter is None or self._shows(one, odata_filter)]
        size = self.dialect.page_size
        first, is_empty = int((next_link or "0").strip("+")), (next_link or "").endswith("+")
        if self.dialect.empty_pages and not is_empty:
            return Page((), f"{first}+")
        after = str(first + size) if first + size < len(shown) else None
        return Page(tuple(shown[first : first + size]), after)

    def _shows(self, organization: ConnectedOrganization, odata_filter: str) -> bool:
        asked = _FILTER.search(odata_filter)
        if self.dialect.filters in {"ignored", "empty"} or asked is None:
            return self.dialect.filters == "ignored"
        names: list[str | None] = [organization.display_name]
        if field := asked["field"]:
            attribute = {"domainName": "domain_name", "tenantId": "tenant_id"}[field]
            names = [getattr(source, attribute) for source in organization.identity_sources]
        if self.dialect.filters == "ignore case":
            return asked["value"].lower() in {(name or "").lower() for name in names}
        return asked["value"] in names

    def read(self, organization_id: str) -> ConnectedOrganization | Setback:
        stored = self.by_id(organization_id)
        return stored.organization if stored and self.is_listed(stored) else _NOT_FOUND

    def update(
        self, organization: ConnectedOrganization, wanted: Attributes
    ) -> ConnectedOrganization | Setback:
        stored = self.by_id(organization.id)
        if stored is None:
            return _NOT_FOUND
        stored.organization = stored.organization.model_copy(update=wanted)
        return organization.model_copy(update=wanted)

    def sponsors(
        self, organization_id: str, kind: SponsorKind
    ) -> tuple[SponsorObject, ...] | Setback:
        stored = self.by_id(organization_id)
        if stored is None or not self.is_listed(stored):
            return _NOT_FOUND
        return tuple(SponsorObject(id=sponsor) for sponsor in stored.sponsors[kind])

    def add_sponsor(self, organization_id: str, sponsorship: Sponsorship) -> SponsorSettled | Later:
        stored = self.by_id(organization_id)
        if stored is None:
            return Later(_error("NotListedYet"))
        if sponsorship.sponsor in self.unknown_sponsors:
            return SponsorSettled(_error("SponsorNotAdded"))
        sponsors = stored.sponsors[sponsorship.kind]
        if sponsorship.sponsor not in sponsors:
            sponsors.append(sponsorship.sponsor)
        return SponsorSettled()

    def by_id(self, organization_id: str) -> Stored | None:
        held = self.stored.values()
        return next((s for s in held if s.organization.id == organization_id), None)

    def is_listed(self, stored: Stored) -> bool:
        return stored.listed_at <= self._now()


def _stored_source(key: str, request: OnboardingRequest, *, capitals: bool) -> StoredIdentitySource:
    kind, _, name = key.partition(":")
    if kind == "tenant":
        odata_type = "#microsoft.graph.azureActiveDirectoryTenant"
        tenant_id = name.upper() if capitals else name
        return StoredIdentitySource(odata_type=odata_type, tenant_id=tenant_id)
    asked = request.identity_source.model_dump(exclude={"display_name"})
    if capitals and "domainName" in asked:
        asked["domainName"] = asked["domainName"].upper()
    return StoredIdentitySource.model_validate(asked)


_OF_THE_ONBOARDING = ""


class Exchange(Protocol):
    """How a call gets to Graph and back; `act` is what Graph does, at one moment.

    `natural_key`: whom the call is about; for an organization by its id, whom its onboarding is.
    """

    async def __call__[T](
        self, what: str, natural_key: str, act: Callable[[], T], /
    ) -> T | Setback: ...


_searched: ContextVar[str] = ContextVar("searched", default="")
"""The natural key that a task searches for."""


class SimulatedGateway:
    """See ports.OrganizationGateway."""

    def __init__(self, graph: Graph, exchange: Exchange) -> None:
        self._graph = graph
        self._exchange = exchange
        self.search = Search(self, graph)

    async def tenant_of(
        self, source: DomainIdentitySource | AzureActiveDirectoryTenant
    ) -> Tenant | Setback:
        act = lambda: self._graph.tenant_of(source)  # noqa: E731
        return await self._exchange("lookup", source.natural_key, act)

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        act = lambda: self._graph.create(request)  # noqa: E731
        return await self._exchange("create", request.natural_key, act)

    async def find(
        self,
        request: OnboardingRequest,
        tenant: Tenant | None = None,
        *,
        tenant_unknown: bool = False,
        since: datetime | None = None,
        quick: bool = False,
    ) -> ConnectedOrganization | Namesake | Later | Blocked | None:
        _searched.set(request.natural_key)
        return await self.search.find(
            request, tenant, tenant_unknown=tenant_unknown, since=since, quick=quick
        )

    async def page(self, odata_filter: str | None, next_link: str | None) -> Page | Setback:
        """See search.Lister."""
        act = lambda: self._graph.page(odata_filter, next_link)  # noqa: E731
        return await self._exchange(f"find {_searched.get()}", _OF_THE_ONBOARDING, act)

    async def read(self, organization_id: str) -> ConnectedOrganization | Setback:
        act = lambda: self._graph.read(organization_id)  # noqa: E731
        return await self._exchange("read", _OF_THE_ONBOARDING, act)

    async def update(
        self, organization: ConnectedOrganization, wanted: Attributes
    ) -> ConnectedOrganization | Setback:
        act = lambda: self._graph.update(organization, wanted)  # noqa: E731
        return await self._exchange("update", _OF_THE_ONBOARDING, act)

    async def sponsors(
        self, organization_id: str, kind: SponsorKind
    ) -> tuple[SponsorObject, ...] | Setback:
        act = lambda: self._graph.sponsors(organization_id, kind)  # noqa: E731
        return await self._exchange("sponsors", _OF_THE_ONBOARDING, act)

    async def add_sponsor(
        self, organization_id: str, sponsorship: Sponsorship
    ) -> SponsorSettled | Later | Blocked:
        act = lambda: self._graph.add_sponsor(organization_id, sponsorship)  # noqa: E731
        what = f"sponsor {sponsorship.sponsor}"
        answer = await self._exchange(what, _OF_THE_ONBOARDING, act)
        if isinstance(answer, Refused):
            return SponsorSettled(_error("SponsorNotAdded"))
        return answer
