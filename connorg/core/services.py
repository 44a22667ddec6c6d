"""What every step of an onboarding works with: the ports, the policy, and time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from random import Random

from connorg.contract.identifiers import new_onboarding_id
from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.timing import Timing
from connorg.core.policy.rules import Policy
from connorg.core.ports import (
    Batches,
    CallbackQueue,
    Clock,
    Ledger,
    OrganizationGateway,
    Receiver,
    RetryQueue,
)
from connorg.core.throttle.pacer import Pacer, PatientPacer, Spacing
from connorg.telemetry import hooks as telemetry


@dataclass(frozen=True)
class Callbacks:
    """What callbacks are made with."""

    queue: CallbackQueue
    receiver: Receiver
    keys: tuple[bytes, ...]
    """They sign; during a rotation there are two. The policy lets nobody ask while there is none.
    """


@dataclass(frozen=True)
class Services:
    """The steps themselves are functions: submit, resume, bury, replay, cancel."""

    gateway: OrganizationGateway
    ledger: Ledger
    batches: Batches
    queue: RetryQueue
    clock: Clock
    random: Random
    timing: Timing
    policy: Policy
    callbacks: Callbacks
    tenant_lookup: bool = True
    """Whether the tenant behind an identity source is looked up before it is connected."""

    @cached_property
    def pacer(self) -> Pacer:
        return Pacer(self.ledger, self.clock, self._calls)

    @cached_property
    def batch_pacer(self) -> PatientPacer:
        return PatientPacer(self.ledger, self.clock, self._calls)

    @cached_property
    def spacing(self) -> Spacing:
        return Spacing(self.clock)

    @property
    def _calls(self) -> int:
        return 2 if self.tenant_lookup else 1  # the create, and the lookup before it

    def new_onboarding(self, request: OnboardingRequest, channel: str) -> Onboarding:
        now = self.clock.now()
        return Onboarding(
            id=new_onboarding_id(request.natural_key, now, self.random),
            status=Status.NOT_STARTED,
            channel=channel,
            request=request,
            reference=request.reference,
            created_date_time=now,
            last_action_date_time=now,
            give_up_date_time=now + timedelta(seconds=self.timing.give_up),
            traceparent=telemetry.traceparent(),
        )

    def onboarding_of(self, message: OnboardingMessage) -> Onboarding:
        """Give the onboarding of a message that came before the ledger knew it."""
        onboarding = self.new_onboarding(message.request, message.channel)
        known = {
            "id": message.onboarding_id,
            "batch_row": message.batch_row,
            "traceparent": message.traceparent or onboarding.traceparent,
        }
        return onboarding.model_copy(update=known)

    def seconds_until(self, moment: datetime | None) -> float:
        """Never less than 0; None is now."""
        return 0.0 if moment is None else max(0.0, (moment - self.clock.now()).total_seconds())

    def tell_put_back(self, onboarding: Onboarding, delay: float) -> None:
        """Tell that an onboarding is on the queue and hidden there, for some seconds."""
        since = onboarding.give_up_date_time - timedelta(seconds=self.timing.give_up)
        telemetry.put_back(since, self.clock.now() + timedelta(seconds=delay))

    def jitter(self) -> float:
        return self.random.uniform(0, self.timing.jitter)
