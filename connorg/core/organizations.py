"""What can be done with an existing organization: read, change, delete, and its sponsors.

Each is one thing said to Graph while the caller waits; nothing of it is retried here.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from connorg.contract.fields import Attributes
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.problems import ErrorCode
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Refused, Setback
from connorg.core.ports import (
    OrganizationAdmin,
    OrganizationPage,
    StorageUnavailableError,
    SupersededError,
)
from connorg.core.services import Services
from connorg.core.throttle.throttle import GraphUnavailableError

_PAGE = 100  # organizations
_MOST_PAGES = 200  # a tenant holds 2,500 organizations; a page may be small, or empty

_ENDLESS = OnboardingError(
    code=ErrorCode.GRAPH_ANSWER_UNREADABLE,
    message=f"Microsoft Graph's list of organizations does not end after {_MOST_PAGES} pages.",
    action="Send the request again later; if it stays so, list the organizations page by page.",
)


async def every_organization[O: ConnectedOrganization](
    services: Services,
    list_page: Callable[[int, str | None], Awaitable[OrganizationPage[O] | Setback]],
) -> list[O]:
    """Return the organizations of all pages. `list_page`: of so many, after a continuation.

    Raise GraphUnavailableError, StorageUnavailableError.
    """
    found: list[O] = []
    after: str | None = None
    for _ in range(_MOST_PAGES):
        page = await services.throttle.ask(partial(list_page, _PAGE, after))
        if isinstance(page, Refused):
            raise GraphUnavailableError(page.error, services.timing.shortest_backoff)
        found += page.organizations
        after = page.continuation
        if after is None:
            return found
    raise GraphUnavailableError(_ENDLESS, services.timing.longest_backoff)


async def read_organization(
    services: Services, organization_id: str
) -> ConnectedOrganization | Refused:
    return await services.throttle.ask(lambda: services.gateway.read(organization_id))


async def change_organization(
    services: Services, organization: ConnectedOrganization, wanted: Attributes
) -> ConnectedOrganization | Refused:
    """Return the organization those of the attributes in which it differs."""
    if organization.attributes == wanted:
        return organization
    return await services.throttle.ask(lambda: services.gateway.update(organization, wanted))


async def delete_organization(
    services: Services, admin: OrganizationAdmin, organization_id: str, by: str | None = None
) -> Refused | None:
    """Delete it, so that its identity source may be onboarded again. None: it is gone.

    `by`: who requests it.
    """
    # Before it is gone: a request that finds the ledger marked and Graph not yet only adopts it.
    marked = await _mark_all_deleted(services, organization_id, by)
    refused = await services.throttle.ask(lambda: admin.delete(organization_id))
    if refused is not None and not refused.not_found:
        for onboarding in marked:
            await _take_mark_back(services, onboarding)
    return refused


async def forget_organization(
    services: Services, organization_id: str, by: str | None = None
) -> bool:
    """Note in the ledger that an organization is gone. False: the ledger knew nothing of it."""
    return bool(await _mark_all_deleted(services, organization_id, by))


async def _mark_all_deleted(
    services: Services, organization_id: str, by: str | None
) -> tuple[Onboarding, ...]:
    """Mark the onboardings of an organization; return them as they were."""
    known = tuple(
        onboarding
        for onboarding in await services.ledger.of_organization(organization_id)
        if onboarding.status.terminal and onboarding.deleted_date_time is None
    )
    for onboarding in known:
        await _mark_deleted(services, onboarding, by)
    return known


async def _take_mark_back(services: Services, before: Onboarding) -> None:
    """Note that the organization exists after all. `before`: the onboarding without the mark."""
    latest = await services.ledger.read(before.id)
    if latest is None or not latest.status.terminal:
        return
    with suppress(SupersededError):  # somebody else continues with it
        await services.ledger.save(lifecycle.unmark_deleted(latest, before, services.clock.now()))


async def _mark_deleted(services: Services, onboarding: Onboarding, by: str | None) -> None:
    try:
        await services.ledger.save(lifecycle.mark_deleted(onboarding, services.clock.now(), by))
    except SupersededError:  # another delete was quicker, or its result was read back right now
        latest = await services.ledger.read(onboarding.id)
        if latest is not None and latest.status.terminal and latest.deleted_date_time is None:
            await _mark_deleted(services, latest, by)


async def withdraw_sponsor(
    services: Services, admin: OrganizationAdmin, organization_id: str, sponsorship: Sponsorship
) -> Refused | bool:
    """Take a sponsor away. False: the organization has no such sponsor."""
    kind: SponsorKind = sponsorship.kind
    held = await services.throttle.ask(lambda: services.gateway.sponsors(organization_id, kind))
    if not isinstance(held, tuple):
        return held
    ids = [object_.id for object_ in held if object_.is_named(sponsorship.sponsor)]
    if not ids:
        return False
    refused = await services.throttle.ask(
        lambda: admin.remove_sponsor(organization_id, kind, ids[0])
    )
    return refused or True


async def read_back(services: Services, onboarding: Onboarding) -> Onboarding:
    """Learn which identity source Graph resolved, once: its answer to a create leaves it out.

    Return the onboarding unchanged if Graph can't be asked now.
    """
    result = onboarding.result
    if onboarding.status is not Status.SUCCEEDED or result is None or result.identity_sources:
        return onboarding
    try:
        found = await read_organization(services, result.id)
        if not isinstance(found, ConnectedOrganization):
            return onboarding
        resolved = found.model_copy(update={"tenant": result.tenant})
        return await services.ledger.save(onboarding.model_copy(update={"result": resolved}))
    except (GraphUnavailableError, StorageUnavailableError):
        return onboarding
    except SupersededError:  # somebody else read it back, or deleted it
        return await services.ledger.read(onboarding.id) or onboarding
