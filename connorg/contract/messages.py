"""What goes over the queue `onboarding`.

No top-level name may be one of the queue trigger's metadata (`id`, `popReceipt`, `dequeueCount`,
`expirationTime`, `insertionTime`, `nextVisibleTime`, `queueTrigger`): the Functions host would take
the message's value for its own.
"""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from connorg.contract.model import Model
from connorg.contract.requests import IdempotencyKey, OnboardingRequest
from connorg.natural_key import ONBOARDING_ID, partition_of, split_id


class OnboardingMessage(Model):
    """The app's own message: what is still to do."""

    # A message put by a newer version, before a rollback, must still be understood.
    model_config = ConfigDict(extra="ignore")

    onboarding_id: Annotated[str, Field(pattern=ONBOARDING_ID)]
    request: OnboardingRequest
    source: str
    attempt: int = 0
    """How many attempts had begun when the message was put."""
    replay: str | None = None
    traceparent: str | None = None

    @model_validator(mode="after")
    def _id_fits_the_request(self) -> Self:
        if split_id(self.onboarding_id)[0] != partition_of(self.request.natural_key):
            raise ValueError("names an onboarding of another identity source")
        return self


class ProducerMessage(OnboardingRequest):
    """A message by somebody else: the body of the HTTP request, with its key."""

    idempotency_key: IdempotencyKey | None = None

    @property
    def onboarding_request(self) -> OnboardingRequest:
        return OnboardingRequest.model_validate(self.model_dump(exclude={"idempotency_key"}))
