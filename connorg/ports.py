"""What the core needs from outside. `graph` and `storage` provide it, tests simulate it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import OnboardingRequest
from connorg.gate import Gate
from connorg.outcomes import AlreadyConnected, Setback


class StorageUnavailableError(Exception):
    """The ledger or the queue did not answer, or refused us. Nothing is known of the call."""


class SupersededError(Exception):
    """Somebody else changed the onboarding since it was read. Read it again."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Tell the time, in UTC."""
        ...


class Directory(Protocol):
    """Our side of Graph. One method, one thing said to Graph; no method raises."""

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback: ...

    async def find(self, request: OnboardingRequest) -> ConnectedOrganization | Setback | None:
        """Search for the organization of the request's identity source; None: not listed."""
        ...

    async def update(
        self, organization: ConnectedOrganization, request: OnboardingRequest
    ) -> ConnectedOrganization | Setback:
        """Give the organization the attributes of the request in which it differs."""
        ...


@dataclass(frozen=True)
class KeyReservation:
    """What an Idempotency-Key stands for."""

    fingerprint: str
    onboarding_id: str


@dataclass(frozen=True)
class Filter:
    """Which onboardings to list; None lets everything through."""

    status: Status | None = None
    source: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Page:
    onboardings: tuple[Onboarding, ...]
    continuation: str | None
    """Where the next page begins; None: this was the last."""


@dataclass(frozen=True)
class HeldBy:
    """The identity source is claimed by another onboarding, or by this one already."""

    holder: Onboarding


class Ledger(Protocol):
    """Where onboardings are kept. Every method may raise StorageUnavailableError."""

    async def open(self, onboarding: Onboarding) -> Onboarding | HeldBy:
        """Claim the identity source for this onboarding and write it, both or none.

        Where another onboarding holds the claim and doesn't give way, nothing is written.

        Raises SupersededError when the onboarding was read before and changed since.
        """
        ...

    async def record(self, onboarding: Onboarding) -> Onboarding:
        """Write a new onboarding that claims nothing, unless it is there. Returns what is there."""
        ...

    async def read(self, onboarding_id: str) -> Onboarding | None: ...

    async def save(self, onboarding: Onboarding) -> Onboarding:
        """Write a later version, if the version held is the one that was read.

        Raises SupersededError otherwise.
        """
        ...

    async def list(self, which: Filter, limit: int, continuation: str | None) -> Page:
        """List onboardings, newest first."""
        ...

    async def reserve_key(
        self, caller: str, key: str, reservation: KeyReservation
    ) -> KeyReservation:
        """Bind a caller's Idempotency-Key, unless it is bound. Returns what it is bound to."""
        ...

    async def gate(self) -> Gate: ...

    async def change_gate(self, change: Callable[[Gate], Gate]) -> Gate:
        """Change the gate, atomically: `change` may be asked again with what others wrote."""
        ...


@dataclass(frozen=True)
class Receipt:
    """A message that was put and may still be moved or taken back."""

    message_id: str
    pop_receipt: str


class RetryQueue(Protocol):
    """What is still to do. Every method may raise StorageUnavailableError."""

    async def put(self, message: OnboardingMessage, delay: float) -> Receipt:
        """Put a message that becomes visible after `delay` seconds, rounded up."""
        ...

    async def move(self, receipt: Receipt, message: OnboardingMessage, delay: float) -> None:
        """Put a message in the place of one; where that one is gone or in hand, do nothing."""
        ...

    async def delete(self, receipt: Receipt) -> None:
        """Take a message back; where it is gone or in hand, do nothing."""
        ...
