"""What Graph is asked before anything is changed, in an attempt and in a dry run."""

from dataclasses import replace
from enum import Enum
from http import HTTPStatus
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


class NoTenant(Enum):
    """Why there is no tenant to show."""

    HAS_NONE = "Graph knows none"
    UNKNOWN = "nobody can look it up"


async def look_up_tenant(
    services: Services, source: IdentitySource, gate: Gate, *, patient: bool = True
) -> Tenant | NoTenant | Later | Blocked:
    """Look up the tenant of a domain or tenant id.

    It is optional: where the permission for it is missing, or it is not offered, all instances
    leave it alone for a while. `patient`: wait for an answer that can be understood.
    """
    match source:
        case DomainIdentitySource() | AzureActiveDirectoryTenant():
            pass
        case ExternalDomainFederation() | CrossCloudAzureActiveDirectoryTenant():
            return NoTenant.HAS_NONE
        case _:
            assert_never(source)
    if not services.tenant_lookup or gate.denies_lookups(services.clock.now()):
        return NoTenant.UNKNOWN
    answer = await services.gateway.tenant_of(source)
    if _is_not_to_be_had(answer, patient=patient):
        await services.throttle.report_lookups_denied()
        return NoTenant.UNKNOWN
    match answer:
        case Refused():
            return NoTenant.HAS_NONE
        case Later():
            return replace(answer, ambiguous=False)  # it changes nothing
    return answer


def is_without_tenant(source: IdentitySource, found: object) -> bool:
    """Whether it is a domain that was looked up, and that no tenant has."""
    return isinstance(source, DomainIdentitySource) and found is NoTenant.HAS_NONE


def _is_not_to_be_had(answer: Tenant | Setback, *, patient: bool) -> bool:
    match answer:
        case Blocked(error):
            return error.code == ErrorCode.PERMISSION_MISSING
        case Later(error):
            unreadable = error.code == ErrorCode.GRAPH_ANSWER_UNREADABLE and not patient
            return unreadable or error.graph_status == HTTPStatus.NOT_IMPLEMENTED
    return False


async def missing_sponsors(
    gateway: OrganizationGateway, request: OnboardingRequest, organization: ConnectedOrganization
) -> tuple[Sponsorship, ...] | Setback:
    """Return which of the request's sponsors the organization does not have."""
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
