"""A dry run of a batch: what each row would come to. Nothing is kept and nothing is changed.

The organizations are listed once, by pages, and claims are read a few at once: sponsors and the
tenants behind domains would take calls for each row, so they are not looked up.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from connorg.contract import channels
from connorg.contract.batch_views import BatchForecast, RowForecast, RowProspect
from connorg.contract.batches import BatchRow
from connorg.contract.identity_sources import natural_key_of
from connorg.contract.onboarding import Onboarding, OnboardingError
from connorg.contract.organization import (
    ConnectedOrganization,
    Difference,
    differences,
    unmet,
)
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.errors import refused_by_policy
from connorg.core.onboarding.dry_run import by_holder, by_if_exists
from connorg.core.organizations import every_organization
from connorg.core.ports import OrganizationAdmin, OrganizationFilter
from connorg.core.services import Services

_AT_ONCE = 16  # rows, so that others get to storage too


@dataclass(frozen=True)
class _Standing:
    """The organizations that Graph has."""

    by_key: dict[str, ConnectedOrganization]
    by_id: dict[str, ConnectedOrganization]

    def found(
        self, request: OnboardingRequest, holder: Onboarding | None
    ) -> ConnectedOrganization | None:
        known = holder.result.id if holder and holder.result else ""
        return self.by_key.get(request.natural_key) or self.by_id.get(known)


async def forecast_batch(
    services: Services,
    admin: OrganizationAdmin,
    rows: Sequence[BatchRow],
    ignored_columns: tuple[str, ...],
) -> BatchForecast:
    """Raise GraphUnavailableError, StorageUnavailableError."""
    standing = await _standing(services, admin)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(row: BatchRow) -> RowForecast:
        if row.request is None or row.duplicate_of is not None:
            return _without_a_look(row)
        async with at_once:
            holder = await services.ledger.holder_of(row.request.natural_key)
        return _forecast(services, row, row.request, holder, standing)

    forecasts = await asyncio.gather(*map(one, rows))
    counts = Counter(forecast.prospect for forecast in forecasts)
    return BatchForecast(
        counts={prospect: counts[prospect] for prospect in RowProspect},
        ignored_columns=ignored_columns,
        rows=tuple(forecasts),
    )


async def _standing(services: Services, admin: OrganizationAdmin) -> _Standing:
    list_page = partial(admin.list, OrganizationFilter())
    organizations = await every_organization(services, list_page)
    return _Standing(
        by_key={
            key: found
            for found in organizations
            for source in found.identity_sources
            if (key := natural_key_of(source)) is not None
        },
        by_id={found.id: found for found in organizations},
    )


def _without_a_look(row: BatchRow) -> RowForecast:
    if row.duplicate_of is not None:
        return RowForecast(
            row=row.number,
            name=row.name,
            prospect=RowProspect.DUPLICATE,
            note=row.note,
            duplicate_of=row.duplicate_of,
        )
    is_refused = all(fault.rule for fault in row.faults)
    return RowForecast(
        row=row.number,
        name=row.name,
        prospect=RowProspect.REFUSED if is_refused else RowProspect.INVALID,
        error=refused_by_policy(row.faults) if is_refused else None,
        errors=row.faults,
    )


def _forecast(
    services: Services,
    row: BatchRow,
    request: OnboardingRequest,
    holder: Onboarding | None,
    standing: _Standing,
) -> RowForecast:
    organization = standing.found(request, holder)
    differing: tuple[Difference, ...] = ()
    if organization:
        differing = differences(request.attributes, organization.attributes)
    elif holder and holder.request:
        differing = unmet(request, holder.request)
    changes = by_holder(services, request, channels.BATCH, holder) or by_if_exists(
        request, organization, differing
    )
    usual = RowProspect.EXISTS if organization else RowProspect.CREATE
    prospect = RowProspect(str(changes.get("prospect", usual)))
    error = changes.get("error")
    return RowForecast(
        row=row.number,
        name=row.name,
        prospect=prospect,
        note=row.note,
        onboarding_id=holder.id if holder else None,
        organization_id=organization.id if organization else None,
        differences=(differing or None) if prospect is not RowProspect.CREATE else None,
        error=error if isinstance(error, OnboardingError) else None,
    )
