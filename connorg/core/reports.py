"""Reports on all organizations of the tenant, made from Graph's list and the ledger.

Each asks Graph for every page while the caller waits, at an open gate, and raises
GraphUnavailableError or StorageUnavailableError where that can't be done.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from connorg.contract.organization import ConnectedOrganization, SponsoredOrganization
from connorg.contract.requests import State
from connorg.contract.sponsors import SponsorKind
from connorg.core.organizations import every_organization
from connorg.core.ports import OrganizationAdmin, OrganizationFilter
from connorg.core.services import Services


async def without_sponsors(
    services: Services, admin: OrganizationAdmin, kinds: Collection[SponsorKind]
) -> list[SponsoredOrganization]:
    """Return the organizations that have no sponsor of any of these kinds."""
    found = await every_organization(services, admin.list_sponsored)
    return [one for one in found if not any(one.sponsors(kind) for kind in kinds)]


async def proposed_since(
    services: Services, admin: OrganizationAdmin, before: datetime
) -> list[ConnectedOrganization]:
    """Return those that are proposed and have not changed since then, oldest first.

    Graph does not say when a state was set. So what counts is the last change of any kind: such an
    organization has been proposed for at least that long.
    """
    which = OrganizationFilter(state=State.PROPOSED)
    found = await every_organization(services, partial(admin.list, which))
    # Whether Graph heeds the filter is not documented.
    old = [one for one in found if one.state == State.PROPOSED and _changed(one, before) <= before]
    return sorted(old, key=lambda one: _changed(one, before))


def _changed(organization: ConnectedOrganization, unknown: datetime) -> datetime:
    return organization.modified_date_time or organization.created_date_time or unknown


async def unrequested(services: Services, admin: OrganizationAdmin) -> list[ConnectedOrganization]:
    """Return those that no onboarding has come to, as far back as the ledger knows."""
    found = await every_organization(services, partial(admin.list, OrganizationFilter()))
    # After Graph: what was created meanwhile must not look unrequested.
    known = {each.lower() for each in await services.ledger.organizations()}
    return [one for one in found if one.id.lower() not in known]
