"""What is shown of a batch: its status, its rows' results, and what a dry run foresees."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from connorg.contract.batches import RowStatus
from connorg.contract.faults import RowFault
from connorg.contract.model import Model
from connorg.contract.onboarding import Conclusion, OnboardingError
from connorg.contract.organization import Difference


class BatchStatus(StrEnum):
    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class RowError(Model):
    row: int
    name: str
    error: OnboardingError


class BatchView(Model):
    """The status of a batch."""

    id: str
    status: BatchStatus
    created_date_time: datetime
    last_action_date_time: datetime
    reference: str | None
    rows: int
    counts: dict[RowStatus, int]
    """Every row of the file by its status; a double by that of the row that it repeats."""
    conclusions: dict[Conclusion, int]
    per_second: float | None
    """Rows that ended in a second lately; None: unknown."""
    seconds_left: int | None
    first_errors: tuple[RowError, ...]
    """Of rows that failed or were invalid, ten at most."""
    ignored_columns: tuple[str, ...]

    def view(self) -> dict[str, Any]:
        nullable = dict.fromkeys(("reference", "perSecond", "secondsLeft"))
        return {**nullable, **self.model_dump(mode="json", exclude_none=True)}


class RowResult(Model):
    """The result of a row of the file."""

    row: int
    name: str
    status: RowStatus
    conclusion: Conclusion | None = None
    onboarding_id: str | None = None
    organization_id: str | None = None
    tenant_id: str | None = None
    attempts: int = 0
    duplicate_of: int | None = None
    error_code: str | None = None
    error: str | None = None
    action: str | None = None


class RowResults(Model):
    value: tuple[RowResult, ...]


class RowProspect(StrEnum):
    CREATE = "create"
    EXISTS = "exists"
    UPDATE = "update"
    UNDER_WAY = "underWay"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    INVALID = "invalid"


class RowForecast(Model):
    row: int
    name: str
    prospect: RowProspect
    note: str | None = None
    """Which of several names of the partner is used."""
    duplicate_of: int | None = None
    onboarding_id: str | None = None
    organization_id: str | None = None
    differences: tuple[Difference, ...] | None = None
    """In what the organization, or the onboarding that covers it, differs from the row."""
    error: OnboardingError | None = None
    errors: tuple[RowFault, ...] | None = None


class BatchForecast(Model):
    """What would happen to a batch. The tenants behind domains are not looked up for it."""

    dry_run: Literal[True] = True
    counts: dict[RowProspect, int]
    ignored_columns: tuple[str, ...]
    rows: tuple[RowForecast, ...]
