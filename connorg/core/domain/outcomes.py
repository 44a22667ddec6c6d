"""The result of an attempt.

    Outcome
    ├── Connected         the organization exists in Graph: created, existing or updated
    ├── SponsorSettled    one more sponsor was added to it, or never will be
    └── Setback           nothing was done, or it is unknown
        ├── Refused       and never will: the request's own fault
        ├── Later         but may soon: a transient failure
        └── Blocked       until somebody grants a permission or a licence

A gateway answers one call with a setback too, or with AlreadyConnected: Graph refused a create
because the identity source is taken. A search answers with a Namesake too.
"""

from dataclasses import dataclass

from connorg.contract.onboarding import Conclusion, OnboardingError
from connorg.contract.organization import ConnectedOrganization, Difference
from connorg.contract.sponsors import Sponsorship


@dataclass(frozen=True)
class Connected:
    conclusion: Conclusion
    organization: ConnectedOrganization
    differences: tuple[Difference, ...] = ()
    sponsors_to_add: tuple[Sponsorship, ...] = ()
    warnings: tuple[OnboardingError, ...] = ()
    """What of the request could not be had."""


@dataclass(frozen=True)
class SponsorSettled:
    warning: OnboardingError | None = None
    """Why the sponsor was not added; None: the organization has this sponsor."""


@dataclass(frozen=True)
class AlreadyConnected:
    error: OnboardingError


@dataclass(frozen=True)
class Namesake:
    """A search found nothing but an organization of the same name, which is another's."""

    organization: ConnectedOrganization


@dataclass(frozen=True)
class Refused:
    error: OnboardingError
    not_found: bool = False
    """Graph does not know what the call was about."""
    of_body: bool = False
    """Graph finds fault with a property of the body, so nothing can have come of the call."""


@dataclass(frozen=True)
class Later:
    error: OnboardingError
    ambiguous: bool = False
    """Graph may have carried the call out all the same."""
    retry_after: float | None = None
    """Seconds that Graph asked for."""
    throttled: bool = False
    """Graph asked everybody to wait, not this call alone."""


@dataclass(frozen=True)
class Blocked:
    error: OnboardingError


type Setback = Refused | Later | Blocked
type Outcome = Connected | SponsorSettled | Setback
