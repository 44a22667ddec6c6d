"""What Graph is asked before anything is changed, in an attempt and in a dry run."""

from dataclasses import replace
from typing import assert_never

from connorg.contract.identity_sources import (
    AzureActiveDirectoryTenant,
    CrossCloudAzureActiveDirectoryTenant,
    DomainIdentitySource,
    ExternalDomainFederation,
    IdentitySource,
)
from connorg.contract.organization import ConnectedOrganization, Tenant
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import Sponsorship
from connorg.core.domain.outcomes import Blocked, Later, Refused, Setback
from connorg.core.ports import OrganizationGateway
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate


async def look_up_tenant(
    services: Services, source: IdentitySource, gate: Gate
) -> Tenant | Setback | None:
    """Look up the tenant of a domain or tenant id. None: it has none, or nobody may look.

    Where the permission for it is missing, all instances leave it alone for a while.
    """
    match source:
        case DomainIdentitySource() | AzureActiveDirectoryTenant():
            pass
        case ExternalDomainFederation() | CrossCloudAzureActiveDirectoryTenant():
            return None
        case _:
            assert_never(source)
    if not services.tenant_lookup or gate.denies_lookups(services.clock.now()):
        return None
    answer = await services.gateway.tenant_of(source)
    match answer:
        case Blocked(error) if error.code == ErrorCode.PERMISSION_MISSING:
            await services.throttle.report_lookups_denied()
            return None
        case Refused():
            return None
        case Later():
            return replace(answer, ambiguous=False)  # it changes nothing
    return answer


async def missing_sponsors(
    gateway: OrganizationGateway, request: OnboardingRequest, organization: ConnectedOrganization
) -> tuple[Sponsorship, ...] | Setback:
    """Tell which of the request's sponsors the organization does not have."""
    lacked: list[Sponsorship] = []
    for kind in dict.fromkeys(asked.kind for asked in request.sponsorships):
        held = await gateway.sponsors(organization.id, kind)
        if not isinstance(held, tuple):
            return held
        lacked += [
            asked
            for asked in request.sponsorships
            if asked.kind == kind and not any(object_.is_named(asked.sponsor) for object_ in held)
        ]
    return tuple(lacked)
