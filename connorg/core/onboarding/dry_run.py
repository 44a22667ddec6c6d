"""Dry run: what a request would come to. Nothing is kept and nothing is changed."""

from connorg.contract.forecast import Forecast, Prospect
from connorg.contract.onboarding import Onboarding
from connorg.contract.organization import (
    ConnectedOrganization,
    Difference,
    Tenant,
    differences,
    sponsor_differences,
)
from connorg.contract.requests import IfExists, OnboardingRequest
from connorg.core.domain.claims import Conflict, can_be_replaced_by, join
from connorg.core.domain.errors import already_connected
from connorg.core.domain.outcomes import Refused
from connorg.core.onboarding.lookups import (
    NoTenant,
    is_without_tenant,
    look_up_tenant,
    missing_sponsors,
)
from connorg.core.onboarding.records import new_onboarding
from connorg.core.policy.rules import Refusal
from connorg.core.services import Services


async def dry_run(services: Services, request: OnboardingRequest, channel: str) -> Forecast:
    """Forecast what `submit` would come to.

    Raise GraphUnavailableError, StorageUnavailableError.
    """
    refusal = services.policy.early_refusal(request, channel)
    if refusal is not None:
        return _refused(refusal, None)
    known = await _tenant(services, request)
    tenant = known if isinstance(known, Tenant) else None
    has_none = is_without_tenant(request.identity_source, known)
    refusal = services.policy.refusal(request, channel, tenant, has_none=has_none)
    if refusal is not None:
        return _refused(refusal, tenant)
    holder = await services.ledger.holder_of(request.natural_key)
    unknown = known is NoTenant.UNKNOWN
    found = await services.throttle.ask(
        lambda: services.gateway.find(request, tenant, tenant_unknown=unknown)
    )
    organization = found if isinstance(found, ConnectedOrganization) else None
    found_differences = await _differences(services, request, organization) if organization else ()
    forecast = Forecast(
        prospect=Prospect.EXISTS if organization else Prospect.CREATE,
        tenant=tenant,
        organization=organization,
        differences=found_differences,
        onboarding_id=holder.id if holder else None,
    )
    changes = by_holder(services, request, channel, holder)
    return forecast.model_copy(
        update=changes or by_if_exists(request, organization, found_differences)
    )


async def _tenant(services: Services, request: OnboardingRequest) -> Tenant | NoTenant:
    gate = await services.throttle.gate()
    found: Tenant | NoTenant | Refused = await services.throttle.ask(
        lambda: look_up_tenant(services, request.identity_source, gate, patient=False)
    )
    return NoTenant.HAS_NONE if isinstance(found, Refused) else found


async def _differences(
    services: Services, request: OnboardingRequest, organization: ConnectedOrganization
) -> tuple[Difference, ...]:
    lacked = await services.throttle.ask(
        lambda: missing_sponsors(services.gateway, request, organization)
    )
    differing = differences(request.attributes, organization.attributes)
    return differing + (sponsor_differences(lacked) if isinstance(lacked, tuple) else ())


def by_holder(
    services: Services, request: OnboardingRequest, channel: str, holder: Onboarding | None
) -> dict[str, object]:
    newcomer = new_onboarding(services, request, channel)
    if holder is None or can_be_replaced_by(holder, newcomer):
        return {}
    joined = join(holder, newcomer)
    if isinstance(joined, Conflict):
        return {"prospect": Prospect.REFUSED, "error": joined.error}
    return {} if holder.status.terminal else {"prospect": Prospect.UNDER_WAY}


def by_if_exists(
    request: OnboardingRequest,
    organization: ConnectedOrganization | None,
    found_differences: tuple[Difference, ...],
) -> dict[str, object]:
    if organization is None:
        return {}
    if request.if_exists is IfExists.FAIL:
        return {"prospect": Prospect.REFUSED, "error": already_connected(organization.id)}
    if request.if_exists is IfExists.UPDATE and found_differences:
        return {"prospect": Prospect.UPDATE}
    return {}


def _refused(refusal: Refusal, tenant: Tenant | None) -> Forecast:
    return Forecast(
        prospect=Prospect.REFUSED, tenant=tenant, error=refusal.error, errors=refusal.faults
    )
