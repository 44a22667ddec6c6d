"""What every step of an onboarding works with. The steps themselves are functions."""

from dataclasses import dataclass
from random import Random

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
from connorg.core.throttle.throttle import Throttle


@dataclass(frozen=True)
class Callbacks:
    """What callbacks are made with."""

    queue: CallbackQueue
    receiver: Receiver
    keys: tuple[bytes, ...]
    """They sign; during a rotation there are two. Without one the policy refuses callbacks.
    """


@dataclass(frozen=True)
class Services:
    gateway: OrganizationGateway
    ledger: Ledger
    batches: Batches
    queue: RetryQueue
    throttle: Throttle
    clock: Clock
    random: Random
    timing: Timing
    policy: Policy
    callbacks: Callbacks
    tenant_lookup: bool = True
    """Whether the tenant behind an identity source is looked up before it is connected."""
