"""What goes over the queue `onboarding`.

No top-level name may be one of the queue trigger's metadata (`id`, `popReceipt`, `dequeueCount`,
`expirationTime`, `insertionTime`, `nextVisibleTime`, `queueTrigger`): the Functions host would take
the message's value for its own.
"""

from pydantic import ConfigDict

from connorg.contract.model import Model
from connorg.contract.requests import IdempotencyKey, OnboardingRequest


class OnboardingMessage(Model):
    """The app's own message: what is still to do."""

    # A message put by a newer version, before a rollback, must still be understood.
    model_config = ConfigDict(extra="ignore")

    onboarding_id: str
    request: OnboardingRequest
    source: str
    attempt: int = 0
    """How many attempts had begun when the message was put."""
    replay: str | None = None
    traceparent: str | None = None


class ProducerMessage(OnboardingRequest):
    """A message by somebody else: the body of the HTTP request, with its key."""

    idempotency_key: IdempotencyKey | None = None

    @property
    def onboarding_request(self) -> OnboardingRequest:
        return OnboardingRequest.model_validate(self.model_dump(exclude={"idempotency_key"}))
