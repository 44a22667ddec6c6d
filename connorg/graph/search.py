"""One question: is the organization there?

    by its source ─► by the tenant behind it ─► by its name ─► among all, regardless of case

Filters are quick and may be case-sensitive, refused, ignored or silently empty: what they show is
taken only if it matches the request, and an empty result proves nothing. So finally all
organizations are listed. One listing serves all searches within a minute, and one that was
interrupted is continued.

The answers: this one; none, reliably; unknown now.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from connorg.contract.identity_sources import (
    SOURCE_KINDS,
    DomainIdentitySource,
    IdentitySource,
    natural_key_of,
    source_type,
)
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, StoredIdentitySource, Tenant
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.outcomes import Blocked, Later, Namesake, Refused, Setback
from connorg.core.ports import Clock
from connorg.graph.filters import by_partner, by_source, equals

_LASTS = timedelta(minutes=1)
_MOST_PAGES = 500  # twenty times a full tenant in pages of a hundred
_MOST_FILTERED_PAGES = 10

type _Test = Callable[[ConnectedOrganization], bool]


@dataclass(frozen=True)
class Page:
    value: tuple[ConnectedOrganization, ...]
    next_link: str | None
    """Where the next page is, even if this one is empty; None: this was the last."""


class Lister(Protocol):
    """What a search asks Graph."""

    async def page(self, odata_filter: str | None, next_link: str | None) -> Page | Setback:
        """Read a page of organizations: the first one, or the one at a nextLink."""
        ...

    async def read(self, organization_id: str) -> ConnectedOrganization | Setback: ...


@dataclass
class _Listing:
    begun: datetime
    organizations: tuple[ConnectedOrganization, ...] = ()
    next_link: str | None = None
    pages: int = 0
    completed: datetime | None = None
    filters_work: bool = False
    """Whether a filter has found one of these, and nothing else."""


class Search:
    def __init__(self, lister: Lister, clock: Clock) -> None:
        self._lister = lister
        self._clock = clock
        self._lock = asyncio.Lock()
        self._listing: _Listing | None = None

    async def find(
        self,
        request: OnboardingRequest,
        tenant: Tenant | None,
        *,
        tenant_unknown: bool,
        since: datetime | None,
        quick: bool,
    ) -> ConnectedOrganization | Namesake | Later | Blocked | None:
        """Search for the organization of the request's source. See ports.OrganizationGateway."""
        source = request.identity_source

        def is_it(organization: ConnectedOrganization) -> bool:
            return stands_for(organization, source, tenant) or (
                tenant_unknown and _is_namesake_of_domain(organization, request)
            )

        filters = [by_source(source)]
        if tenant is not None and isinstance(source, DomainIdentitySource):
            filters.append(by_partner("azureActiveDirectoryTenant", tenant.tenant_id))
        for odata_filter in filters:
            found = await self._filtered(odata_filter, is_it, is_it)
            if found is not None:
                return found
        if quick and not tenant_unknown:
            return None
        same_name: _Test = lambda held: _same_name(held, request)  # noqa: E731
        found = await self._filtered(equals("displayName", request.display_name), is_it, same_name)
        if found is not None or quick:
            return found
        return await self._among_all(request, is_it, since)

    async def may_miss(self, is_it: _Test) -> bool | Later | Blocked:
        """Whether a filter that shows nothing may have missed what there is.

        It may be exact in letters, which a listing of the last minute shows; or without effect.
        """
        listing = await self._list(self._clock.now() - _LASTS)
        if not isinstance(listing, _Listing):
            return listing
        return not listing.filters_work or any(map(is_it, listing.organizations))

    async def _filtered(
        self, odata_filter: str, is_it: _Test, belongs: _Test
    ) -> ConnectedOrganization | Later | Blocked | None:
        """Return the organization where a filter shows it. None proves nothing.

        `belongs`: whether the filter should let an organization through.
        """
        next_link: str | None = None
        for _ in range(_MOST_FILTERED_PAGES):
            page = await self._lister.page(odata_filter, next_link)
            match page:
                case Refused():
                    return None
                case Later() | Blocked():
                    return _told(page)
            found = next(filter(is_it, page.value), None)
            ignored = not all(map(belongs, page.value))
            if found is not None or ignored or page.next_link is None:
                return found
            next_link = page.next_link
        return None

    async def _among_all(
        self, request: OnboardingRequest, is_it: _Test, since: datetime | None
    ) -> ConnectedOrganization | Namesake | Later | Blocked | None:
        asked_at = self._clock.now()
        oldest = asked_at - _LASTS if since is None else since
        for _ in range(3):
            listing = await self._list(oldest)
            if not isinstance(listing, _Listing):
                return listing
            found = next(filter(is_it, listing.organizations), None)
            fresh = listing.begun >= asked_at
            if found is not None and not fresh:
                now = await self._lister.read(found.id)
                if isinstance(now, Later | Blocked):
                    return _told(now)
                if isinstance(now, ConnectedOrganization):
                    found = now
                elif now.not_found:  # it was deleted since
                    found, oldest = None, asked_at
                    continue
            if found is not None:
                return found
            if fresh or since is not None or listing.filters_work:
                # Else nothing shows what was created since it was begun.
                same = (held for held in listing.organizations if _same_name(held, request))
                namesake = next(same, None)
                return Namesake(namesake) if namesake else None
            oldest = asked_at
        return Later(_endless())

    async def _list(self, oldest: datetime) -> _Listing | Later | Blocked:
        """List all of them, or continue a listing that was begun at `oldest` or later."""
        async with self._lock:
            now, listing = self._clock.now(), self._listing
            if listing is None or listing.begun < oldest or _is_old(listing, now):
                listing = self._listing = _Listing(now)
            while listing.completed is None:
                setback = await self._turn_page(listing)
                if setback is not None:
                    return setback
            return listing

    async def _turn_page(self, listing: _Listing) -> Later | Blocked | None:
        page = await self._lister.page(None, listing.next_link)
        match page:
            case Refused(error):  # also of a nextLink that Graph takes no longer
                self._listing = None
                return Later(error)
            case Later() | Blocked():
                return _told(page)
        organizations = (*listing.organizations, *page.value)
        listing.pages += 1
        if page.next_link is None:
            works = await self._try_filter(organizations)
            if not isinstance(works, bool):
                return _told(works)  # Graph may have asked everybody to wait
            listing.filters_work = works
            listing.completed = self._clock.now()
        elif listing.pages >= _MOST_PAGES:
            self._listing = None
            return Later(_endless())
        listing.organizations, listing.next_link = organizations, page.next_link
        return None

    async def _try_filter(
        self, organizations: tuple[ConnectedOrganization, ...]
    ) -> bool | Later | Blocked:
        """Whether a filter finds the newest organization, and no other, by the letters we send."""
        for organization in reversed(organizations):
            for held in organization.identity_sources:
                kind = SOURCE_KINDS.get(source_type(held) or "")
                name = str(getattr(held, kind.key[-1], None) or "") if kind else ""
                if kind is None or not name:
                    continue
                page = await self._lister.page(by_partner(kind.type, name.lower()), None)
                if isinstance(page, Refused):
                    return False
                if not isinstance(page, Page):
                    return page
                return [found.id for found in page.value] == [organization.id]
        return False


def _is_old(listing: _Listing, now: datetime) -> bool:
    return listing.completed is not None and listing.completed < now - _LASTS


def stands_for(
    organization: ConnectedOrganization, source: IdentitySource, tenant: Tenant | None
) -> bool:
    """Whether one of its sources is this one, or the tenant behind it, in whatever letters."""
    return any(
        _is_source(held, source) or (tenant is not None and _is_tenant(held, tenant.tenant_id))
        for held in organization.identity_sources
    )


def _is_source(held: StoredIdentitySource, source: IdentitySource) -> bool:
    if held.odata_type is not None:
        return natural_key_of(held) == source.natural_key
    others = {name for kind in SOURCE_KINDS.values() for name in kind.key} - set(source.kind.key)
    named = all(_text(held, name) == _text(source, name) for name in source.kind.key)
    return named and not any(_text(held, name) for name in others)


def _is_tenant(held: StoredIdentitySource, tenant_id: str) -> bool:
    of_this_cloud = source_type(held) in {None, "azureActiveDirectoryTenant"}
    return (
        of_this_cloud and not held.cloud_instance and _text(held, "tenant_id") == tenant_id.lower()
    )


def _text(source: object, name: str) -> str:
    return str(getattr(source, name, None) or "").casefold()


def _same_name(organization: ConnectedOrganization, request: OnboardingRequest) -> bool:
    return (organization.display_name or "").casefold() == request.display_name.casefold()


def _is_namesake_of_domain(organization: ConnectedOrganization, request: OnboardingRequest) -> bool:
    """Whether it may be a domain's, if it is unknown which tenant the domain belongs to.

    Among the organizations of the same name and description one that is connected by a tenant is
    taken for it: a second organization of that name for another tenant is rare.
    """
    return (
        isinstance(request.identity_source, DomainIdentitySource)
        and organization.display_name == request.display_name
        and organization.description == request.description
        and any(source.tenant_id for source in organization.identity_sources)
    )


def _told(setback: Later | Blocked) -> Later | Blocked:
    """Return the setback of a search, which changes nothing."""
    return replace(setback, ambiguous=False) if isinstance(setback, Later) else setback


def _endless() -> OnboardingError:
    return OnboardingError(
        code=ErrorCode.GRAPH_ANSWER_UNREADABLE,
        message="Microsoft Graph's list of organizations did not end.",
    )
