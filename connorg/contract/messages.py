"""What goes over the queues `onboarding`, `batch` and `callback`.

No top-level name may be one of the queue trigger's metadata (`id`, `popReceipt`, `dequeueCount`,
`expirationTime`, `insertionTime`, `nextVisibleTime`, `queueTrigger`): the Functions host would take
the message's value for its own.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from connorg.contract.idempotency_key import IdempotencyKey
from connorg.contract.identifiers import BATCH_ID, ONBOARDING_ID, RowRef, partition_of, split_id
from connorg.contract.model import Model
from connorg.contract.requests import OnboardingRequest
from connorg.contract.versions import VERSION, check_version


class _OwnMessage(Model):
    """What connorg itself puts on a queue. NewerVersionError: a newer one has put it there."""

    # Under the same version there may be more fields, of the kind that may be lost.
    model_config = ConfigDict(extra="ignore")

    version: int = VERSION

    @model_validator(mode="before")
    @classmethod
    def _is_not_newer(cls, fields: Any) -> Any:
        """First of all: what a newer version means by the other fields is not known."""
        if isinstance(fields, dict):
            check_version(fields.get("version"))
        return fields


class OnboardingMessage(_OwnMessage):
    """The app's own message: what is still to do."""

    onboarding_id: Annotated[str, Field(pattern=ONBOARDING_ID)]
    request: OnboardingRequest
    channel: str = Field(alias="source")
    attempt: int = 0
    """How many attempts had begun when the message was put."""
    replay: str | None = None
    batch_row: RowRef | None = None
    """The row of a batch in which is noted what becomes of it."""
    by: str | None = None
    """Who requested it, or its replay, as in the history."""
    traceparent: str | None = None

    @model_validator(mode="after")
    def _id_fits_the_request(self) -> Self:
        if split_id(self.onboarding_id)[0] != partition_of(self.request.natural_key):
            raise ValueError("names an onboarding of another identity source")
        return self


class BatchMessage(_OwnMessage):
    """A batch whose rows are still to be put on the queue, or some of its rows."""

    batch_id: Annotated[str, Field(pattern=BATCH_ID)]
    first: int | None = None
    """The first of these rows; None: the whole batch."""
    last: int | None = None
    replay: str | None = None
    """The replay of the failed rows that this is about; None: the beginning."""
    by: str | None = None
    """Who requested the batch, or that replay."""
    traceparent: str | None = None


class ProducerMessage(OnboardingRequest):
    """A message by somebody else: the body of the HTTP request, with its key."""

    idempotency_key: IdempotencyKey | None = None

    @property
    def onboarding_request(self) -> OnboardingRequest:
        """The request without its key. It was validated with the message."""
        fields = {name: getattr(self, name) for name in OnboardingRequest.model_fields}
        return OnboardingRequest.model_construct(**fields)


class CallbackMessage(_OwnMessage):
    """A callback that somebody asked for: a subscription to the end of an onboarding."""

    model_config = ConfigDict(hide_input_in_errors=True)

    onboarding_id: Annotated[str, Field(pattern=ONBOARDING_ID)]
    callback_url: Annotated[str, Field(repr=False)]
    asked_date_time: datetime
    failures: int = 0
    """How many deliveries failed."""

    @property
    def name(self) -> str:
        """Name the callback without giving its address away: one for each onboarding and address.

        The receiver knows it as `webhook-id`, the ledger by its row.
        """
        text = f"{self.onboarding_id}\0{self.callback_url}"
        return f"callback-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
