"""Errors that several places report, each in the same words."""

from collections.abc import Sequence

from connorg.contract.faults import Fault
from connorg.contract.onboarding import OnboardingError
from connorg.contract.problems import ErrorCode


def graph_timeout(limit: float | None = None) -> OnboardingError:
    """Return the error of a call that Graph did not answer. `limit`: seconds, where it is known."""
    within = "in time" if limit is None else f"within {limit:.0f} seconds"
    return OnboardingError(
        code=ErrorCode.GRAPH_TIMEOUT, message=f"Microsoft Graph did not answer {within}."
    )


def already_connected(organization_id: str) -> OnboardingError:
    return OnboardingError(
        code=ErrorCode.ALREADY_CONNECTED,
        message=f"The identity source is connected already, as organization {organization_id}.",
        action="Leave ifExists out to use the organization as it is, or set it to 'update'.",
    )


def refused_by_policy(faults: Sequence[Fault]) -> OnboardingError:
    """Return the error of a request that the policy has these faults to find with."""
    rules = ", ".join(dict.fromkeys(fault.rule or "" for fault in faults))
    return OnboardingError(
        code=ErrorCode.REFUSED_BY_POLICY,
        message=f"{' '.join(fault.detail for fault in faults)} (Rule: {rules}.)",
        action="Ask the operators of connorg whether the rule is right; then send it again.",
    )


def no_tenant(domain: str) -> OnboardingError:
    """Return the warning that a domain's users have no tenant to sign in at."""
    return OnboardingError(
        code=ErrorCode.NO_TENANT,
        message=f"No tenant of Microsoft Entra has the domain {domain}.",
        action="Its users need another way to sign in: turn email one-time passcode on, or set up"
        " federation with their identity provider.",
    )


def tenant_not_known() -> OnboardingError:
    """Return why a domain waits where only those with a tenant may be connected."""
    return OnboardingError(
        code=ErrorCode.PERMISSION_MISSING,
        message="Only domains that belong to a tenant may be connected,"
        " and tenants can't be looked up now.",
        action="Grant the app's managed identity CrossTenantInformation.ReadBasic.All of Microsoft"
        " Graph, or set CONNORG_TENANT_ONLY=false.",
    )
