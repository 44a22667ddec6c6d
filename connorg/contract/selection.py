"""Several onboardings at once: which, and what became of each."""

from typing import Annotated

from pydantic import Field

from connorg.contract.identifiers import ONBOARDING_ID
from connorg.contract.model import Model

MOST_AT_ONCE = 500
"""Onboardings of one call."""


class Selection(Model):
    ids: Annotated[
        tuple[Annotated[str, Field(pattern=ONBOARDING_ID)], ...],
        Field(min_length=1, max_length=MOST_AT_ONCE),
    ]


class Selected(Model):
    """An onboarding of the call, with its name and partner."""

    id: str
    display_name: str | None = None
    partner: str | None = None
    """The domain or the tenant id."""
    reference: str | None = None
    code: str | None = None
    """Of its last error."""
    message: str | None = None


class Unchanged(Model):
    id: str
    reason: str
    see: str | None = None
    """The conflicting onboarding."""


class Replays(Model):
    dry_run: bool
    replayed: tuple[str, ...]
    """Those that are retried; with dryRun, that would be."""
    not_replayed: tuple[Unchanged, ...]
    onboardings: tuple[Selected, ...] = ()
    """All of both, newest first."""
    more: bool = False
    """Whether more match: call again for those."""


class Cancellations(Model):
    dry_run: bool
    canceled: tuple[str, ...]
    """Those that are canceled; with dryRun, that would be."""
    not_canceled: tuple[Unchanged, ...]
    onboardings: tuple[Selected, ...] = ()
    """All of both, newest first."""
    more: bool = False
    """Whether more match: call again for those."""
