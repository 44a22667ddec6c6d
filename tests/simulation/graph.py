"""Graph behind the Directory port: what it stores, and how it fails.

It refuses a second organization for an identity source from the moment that the first is stored,
but lists an organization only some time later.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from connorg.contract.identity_sources import DomainIdentitySource
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, StoredIdentitySource
from connorg.contract.requests import OnboardingRequest
from connorg.outcomes import AlreadyConnected, Blocked, Later, Refused, Setback


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
    "busy": Fault(Later(_error("GraphBusy"), retry_after=7)),
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
        self.refused: set[str] = set()
        """Natural keys that Graph will never take."""

    def key_of(self, request: OnboardingRequest) -> str:
        """Name the identity source as Graph stores it: a tenant, where the domain has one."""
        source = request.identity_source
        if isinstance(source, DomainIdentitySource) and source.domain_name in self.tenant_of_domain:
            return f"tenant:{self.tenant_of_domain[source.domain_name]}"
        return source.natural_key

    def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        key = self.key_of(request)
        if request.natural_key in self.refused:
            return _REFUSED
        if key in self.stored:
            return AlreadyConnected(_error("AlreadyConnected"))
        organization = ConnectedOrganization(
            id=f"organization{next(self._numbers)}",
            display_name=request.display_name,
            description=request.description,
            state=request.state.value,
            identity_sources=(_stored_source(key, request),),
            created_date_time=self._now(),
        )
        listed_at = self._now() + timedelta(seconds=self._listing_delay())
        self.stored[key] = Stored(organization, request.natural_key, listed_at)
        self.commits[key] += 1
        return organization.model_copy(update={"identity_sources": ()})

    def find(self, request: OnboardingRequest) -> ConnectedOrganization | None:
        key = self.key_of(request)
        if key != request.natural_key and not self.may_look_up_tenants:
            return self._namesake(request)
        stored = self.stored.get(key)
        return stored.organization if stored and self.is_listed(stored) else None

    def update(
        self, organization: ConnectedOrganization, request: OnboardingRequest
    ) -> ConnectedOrganization | Setback:
        for stored in self.stored.values():
            if stored.organization.id == organization.id:
                changes = request.attributes._asdict()
                stored.organization = stored.organization.model_copy(update=changes)
                return organization.model_copy(update=changes)
        return _REFUSED

    def is_listed(self, stored: Stored) -> bool:
        return stored.listed_at <= self._now()

    def _namesake(self, request: OnboardingRequest) -> ConnectedOrganization | None:
        for stored in self.stored.values():
            held = stored.organization
            same = (held.display_name, held.description) == request.attributes[:2]
            if same and held.identity_sources[0].tenant_id and self.is_listed(stored):
                return held
        return None


def _stored_source(key: str, request: OnboardingRequest) -> StoredIdentitySource:
    kind, _, name = key.partition(":")
    if kind == "tenant":
        return StoredIdentitySource(tenant_id=name)
    asked = request.identity_source.model_dump(exclude={"display_name"})
    return StoredIdentitySource.model_validate(asked)


class Exchange(Protocol):
    """How a call gets to Graph and back; `act` is what Graph does, at one moment."""

    async def __call__[T](
        self, what: str, request: OnboardingRequest, act: Callable[[], T], /
    ) -> T | Setback: ...


class SimulatedDirectory:
    """See ports.Directory."""

    def __init__(self, graph: Graph, exchange: Exchange) -> None:
        self._graph = graph
        self._exchange = exchange

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback:
        return await self._exchange("create", request, lambda: self._graph.create(request))

    async def find(self, request: OnboardingRequest) -> ConnectedOrganization | Setback | None:
        return await self._exchange("find", request, lambda: self._graph.find(request))

    async def update(
        self, organization: ConnectedOrganization, request: OnboardingRequest
    ) -> ConnectedOrganization | Setback:
        act = lambda: self._graph.update(organization, request)  # noqa: E731
        return await self._exchange("update", request, act)
