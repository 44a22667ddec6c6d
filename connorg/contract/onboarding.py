"""The onboarding: the durable record of one request's journey, shown at its status address."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from connorg.contract.history import HistoryEntry
from connorg.contract.identifiers import RowRef
from connorg.contract.model import Model
from connorg.contract.organization import ConnectedOrganization, Difference
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import Sponsorship


class Status(StrEnum):
    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    WAITING = "Waiting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def terminal(self) -> bool:
        return self in {Status.SUCCEEDED, Status.FAILED, Status.CANCELED}


class Conclusion(StrEnum):
    """How an onboarding got its organization."""

    CREATED = "created"
    EXISTING = "existing"
    UPDATED = "updated"


class OnboardingError(Model):
    """Why an attempt did not succeed, for the person who reads it."""

    code: str
    """An ErrorCode; of an older or newer version also one that this version does not know."""
    message: str
    action: str | None = None
    graph_code: str | None = None
    graph_request_id: str | None = None
    date_time: datetime | None = None
    graph_status: Annotated[int | None, Field(exclude=True)] = None
    # Only for the history. Earlier versions can't read an error that has it.


# The status monitor's contract: there even when they are null, and in this order.
_ALWAYS_SHOWN = (
    "id",
    "status",
    "request",
    "attempts",
    "lastError",
    "nextAttemptDateTime",
    "result",
    "reference",
    "createdDateTime",
    "lastActionDateTime",
)


class OnboardingView(Model):
    # What callers see, under the name "Onboarding". (A docstring would be in the description too.)
    # Under the same version there may be more fields, of the kind that may be lost.
    model_config = ConfigDict(
        extra="ignore",
        title="Onboarding",
        json_schema_extra={"required": [*_ALWAYS_SHOWN, "source"]},
    )

    id: str
    status: Status
    channel: str = Field(alias="source", title="Source")
    request: OnboardingRequest | None = None
    """None where a queue message could not be understood."""
    reference: str | None = None
    attempts: int = 0
    conclusion: Conclusion | None = None
    """Set as soon as the organization exists; sponsors may still have to be added."""
    result: ConnectedOrganization | None = None
    differences: tuple[Difference, ...] = ()
    warnings: tuple[OnboardingError, ...] = ()
    """What could not be done although the organization exists."""
    last_error: OnboardingError | None = None
    next_attempt_date_time: datetime | None = None
    created_date_time: datetime
    last_action_date_time: datetime
    deleted_date_time: datetime | None = None
    """When the organization was deleted again through connorg, or was found to be gone."""

    def view(self) -> dict[str, Any]:
        """Return what callers see, as JSON values under the names of the contract."""
        shown = self.model_dump(
            mode="json", include=set(OnboardingView.model_fields), exclude_none=True
        )
        return {**dict.fromkeys(_ALWAYS_SHOWN), **shown}


class ErrorCodeAlone(Model):
    # A docstring would be in the description for callers.
    code: str


class Progress(Model):
    # What the result address shows until the end.
    id: str
    status: Status
    next_attempt_date_time: datetime | None = None
    last_error: ErrorCodeAlone | None = None


class OnboardingWithHistory(OnboardingView):
    # What the onboarding's own address shows. Lists, callbacks and results go without.
    model_config = ConfigDict(title="OnboardingWithHistory")

    history: tuple[HistoryEntry, ...] = ()
    """The last steps, oldest first, at most 20. Empty where an older version kept none."""


class Onboarding(OnboardingView):
    """The record itself: with internal fields, which are not shown."""

    give_up_date_time: datetime
    lease_until: datetime | None = None
    """While it is in the future, one attempt runs and no other begins."""
    doubt_until: datetime | None = None
    """Set while a POST may have been carried out unseen. Before this moment a search in Graph that
    finds nothing proves nothing."""
    sponsors_to_add: tuple[Sponsorship, ...] = ()
    """Those that were not added yet; the next attempt continues with them."""
    replay: str | None = None
    """The last replay that was carried out or found needless, so that each is dealt with once."""
    joined: str | None = None
    """The onboarding that covers this one, which was never begun."""
    batch_row: RowRef | None = None
    """The row of a batch that asked for it."""
    traceparent: str | None = None
    """The W3C trace that the request came in with; messages carry it on."""
    result_key: str | None = None
    """What opens its result address; None: an earlier version wrote it, and needed none."""
    message_text: str | None = None
    """What a queue message held that could not be understood."""
    history: Annotated[tuple[HistoryEntry, ...], Field(exclude=True)] = ()
    """The last steps, oldest first. The ledger keeps them beside the rest."""
    etag: Annotated[str | None, Field(exclude=True)] = None
    """The version that the ledger holds; None before it holds one."""

    def view_with_history(self) -> dict[str, Any]:
        """Return what its own address shows, as `view` does."""
        steps = [step.model_dump(mode="json", exclude_none=True) for step in self.history]
        return {**self.view(), "history": steps}

    def progress(self) -> dict[str, Any]:
        """Return what the result address shows until the end: nothing of the request."""
        error = self.last_error
        told = Progress(
            id=self.id,
            status=self.status,
            next_attempt_date_time=self.next_attempt_date_time,
            last_error=None if error is None else ErrorCodeAlone(code=error.code),
        )
        return told.model_dump(mode="json", exclude_none=True)

    @property
    def due(self) -> datetime | None:
        """When the next attempt may begin; None: at once."""
        return self.lease_until if self.status is Status.RUNNING else self.next_attempt_date_time

    @property
    def is_forgotten(self) -> bool:
        """Whether its partner was forgotten: it covers no other request."""
        return self.joined == self.id

    @property
    def exists_in_graph(self) -> bool:
        """Whether it ended with an organization that Graph has, as far as is known."""
        return self.status is Status.SUCCEEDED and self.deleted_date_time is None
