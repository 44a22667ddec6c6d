"""What a dry run answers."""

from enum import StrEnum
from typing import Literal

from connorg.contract.faults import Fault
from connorg.contract.model import Model
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, Difference, Tenant


class Prospect(StrEnum):
    """What would happen to a request."""

    CREATE = "create"
    EXISTS = "exists"
    """The organization would be given as it is; `differences` says in what it differs."""
    UPDATE = "update"
    """The organization would be changed in its `differences`."""
    UNDER_WAY = "underWay"
    """An onboarding of the same identity source would be joined."""
    REFUSED = "refused"
    """By the policy, by `ifExists`, or because of another onboarding; `error` says why."""


class Forecast(Model):
    dry_run: Literal[True] = True
    prospect: Prospect
    tenant: Tenant | None = None
    """The tenant behind the identity source."""
    organization: ConnectedOrganization | None = None
    """What there is in Graph now."""
    differences: tuple[Difference, ...] = ()
    error: OnboardingError | None = None
    errors: tuple[Fault, ...] | None = None
    """Every rule of the policy that it breaks."""
    onboarding_id: str | None = None
    """The onboarding that has the identity source."""
