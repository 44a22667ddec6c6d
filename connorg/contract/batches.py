"""A batch: a file of requests, kept row by row with what became of each."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from typing import Annotated

from pydantic import ConfigDict, Field

from connorg.contract.faults import RowFault
from connorg.contract.identifiers import RowRef
from connorg.contract.model import Model
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.requests import OnboardingRequest

_MOST_CHARACTERS = 16_000  # of warnings; a column of storage holds twice as many


class RowStatus(StrEnum):
    NOT_STARTED = "NotStarted"
    WAITING = "Waiting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"
    INVALID = "Invalid"

    @property
    def terminal(self) -> bool:
        return self not in {RowStatus.NOT_STARTED, RowStatus.WAITING}


class Batch(Model):
    """What all rows have in common. It is written once, after its rows."""

    model_config = ConfigDict(extra="ignore")

    id: str
    created_date_time: datetime
    reference: str | None = None
    ignored_columns: tuple[str, ...] = ()
    traceparent: str | None = None


class BatchRow(Model):
    # A row written by a newer version, before a rollback, must still be read.
    model_config = ConfigDict(extra="ignore")

    batch_id: str
    number: int
    """What a person sees: the row of the spreadsheet, the element, the line."""
    name: str
    """The domain or tenant as the file has it."""
    status: RowStatus = RowStatus.NOT_STARTED
    duplicate_of: int | None = None
    """The earlier row with the same request; both have one result."""
    faults: tuple[RowFault, ...] = ()
    conclusion: Conclusion | None = None
    onboarding_id: str | None = None
    """The onboarding that covers it: its own, or an earlier one."""
    organization_id: str | None = None
    tenant_id: str | None = None
    attempts: int = 0
    error: OnboardingError | None = None
    warnings: tuple[OnboardingError, ...] = ()
    replay: str | None = None
    """The last replay that the row was handed to. Messages of an older one are stale."""
    noted_date_time: datetime | None = None
    """When something was last noted of it."""
    forgotten_date_time: datetime | None = None
    """When its partner was forgotten, and all of it but what is counted was erased."""
    note: Annotated[str | None, Field(exclude=True)] = None
    """What the file's reader made of it; known while the file is read."""
    request: Annotated[OnboardingRequest | None, Field(exclude=True)] = None
    """Read only where it is asked for; None too where there is none that is valid."""
    etag: Annotated[str | None, Field(exclude=True)] = None

    @property
    def place(self) -> RowRef:
        return RowRef(batch=self.batch_id, row=self.number)

    def is_stale(self, replay: str | None) -> bool:
        """Whether the row was handed to a later replay, which has a message of its own."""
        return (replay or "") < (self.replay or "")

    def is_dealt_with(self, replay: str | None) -> bool:
        """Whether a message of this replay has nothing left to do for the row."""
        return (replay or "") <= (self.replay or "") and self.status.terminal

    def with_outcome(self, onboarding: Onboarding, replay: str | None, now: datetime) -> "BatchRow":
        """Return the row with the state of its onboarding, or the same row if that is no news."""
        status = _STATUSES.get(onboarding.status)
        if status is None or self.is_stale(replay) or not self._may_become(status, replay):
            return self
        result = onboarding.result
        known = self.model_copy(
            update={
                "status": status,
                "conclusion": self._conclusion(onboarding),
                "onboarding_id": onboarding.id,
                "organization_id": result.id if result else None,
                "tenant_id": result.tenant.tenant_id if result and result.tenant else None,
                "attempts": onboarding.attempts,
                "error": onboarding.last_error,
                "warnings": _as_many_as_fit(onboarding.warnings),
                "replay": replay or self.replay,
            }
        )
        return self if known == self else known.model_copy(update={"noted_date_time": now})

    def forgotten(self, now: datetime) -> "BatchRow":
        """Return what is left of it where its partner is forgotten."""
        return BatchRow(
            batch_id=self.batch_id,
            number=self.number,
            name="",
            status=self.status,
            duplicate_of=self.duplicate_of,
            conclusion=self.conclusion,
            attempts=self.attempts,
            replay=self.replay,
            noted_date_time=self.noted_date_time,
            forgotten_date_time=now,
            etag=self.etag,
        )

    def _may_become(self, status: RowStatus, replay: str | None) -> bool:
        if self.status is RowStatus.CANCELED:
            return status.terminal  # it was being tried when the batch was cancelled
        return not self.is_dealt_with(replay)

    def _conclusion(self, onboarding: Onboarding) -> Conclusion | None:
        if onboarding.conclusion is not None and onboarding.batch_row != self.place:
            return Conclusion.EXISTING  # another request created it
        return onboarding.conclusion


_STATUSES: Mapping[Status, RowStatus] = {
    Status.WAITING: RowStatus.WAITING,
    Status.SUCCEEDED: RowStatus.SUCCEEDED,
    Status.FAILED: RowStatus.FAILED,
    Status.CANCELED: RowStatus.CANCELED,
}


def _as_many_as_fit(warnings: tuple[OnboardingError, ...]) -> tuple[OnboardingError, ...]:
    """Return the first warnings, of which a row's column can hold a part only."""
    sizes = accumulate(len(warning.model_dump_json(exclude_none=True)) for warning in warnings)
    kept = sum(size <= _MOST_CHARACTERS for size in sizes)
    if kept == len(warnings):
        return warnings
    text = f"There are {len(warnings) - kept} more warnings: read the onboarding."
    return (*warnings[:kept], warnings[kept].model_copy(update={"message": text}))


class OnInvalid(StrEnum):
    """What to do with a file of which some rows have faults."""

    REJECT = "reject"
    SKIP = "skip"
