"""What the core needs from outside. `graph` and `storage` provide it, tests simulate it."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.callbacks import CallbackRecord
from connorg.contract.fields import Attributes
from connorg.contract.identifiers import RowRef, made_at
from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.messages import BatchMessage, CallbackMessage, OnboardingMessage
from connorg.contract.onboarding import Conclusion, Onboarding, Status
from connorg.contract.organization import (
    ConnectedOrganization,
    SponsoredOrganization,
    Tenant,
)
from connorg.contract.requests import OnboardingRequest
from connorg.contract.sponsors import SponsorKind, SponsorObject, Sponsorship
from connorg.core.domain.outcomes import (
    AlreadyConnected,
    Blocked,
    Later,
    Namesake,
    Setback,
    SponsorSettled,
)


class StorageUnavailableError(Exception):
    """The ledger or the queue did not answer, or refused us. Nothing is known of the call."""


class TokenUnavailableError(Exception):
    """The app's identity returned no token for Microsoft Graph."""


class KeysUnavailableError(Exception):
    """The keys that sign callers' tokens can't be had, and none are known from before."""


class TokenRefusedError(Exception):
    """A caller's token is none to trust. The text says why, and repeats nothing of it."""


class SupersededError(Exception):
    """Somebody else changed the onboarding since it was read. Read it again."""


@dataclass(frozen=True)
class Principal:
    """The caller whom Entra signed in."""

    object_id: str
    roles: frozenset[str]


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...


class OrganizationGateway(Protocol):
    """Our side of Graph, as an onboarding needs it. No method raises."""

    async def tenant_of(
        self, source: DomainIdentitySource | AzureActiveDirectoryTenant
    ) -> Tenant | Setback:
        """Look up the tenant behind a domain or a tenant id; Refused: Graph knows none."""
        ...

    async def create(
        self, request: OnboardingRequest
    ) -> ConnectedOrganization | AlreadyConnected | Setback: ...

    async def find(
        self,
        request: OnboardingRequest,
        tenant: Tenant | None = None,
        *,
        tenant_unknown: bool = False,
        since: datetime | None = None,
        quick: bool = False,
    ) -> ConnectedOrganization | Namesake | Later | Blocked | None:
        """Whether the organization of the request's identity source is there.

        None and a Namesake: it is not, and that can be believed. Later and Blocked: nobody can tell
        now.

        `tenant`: the one behind it, which Graph stores in a domain's place. `tenant_unknown`: it
        may have one that can't be looked up.
        `since`: what was created until then must be seen; None: a minute ago will do. `quick`:
        only look, without the proof that nothing is there.
        """
        ...

    async def read(self, organization_id: str) -> ConnectedOrganization | Setback:
        """Read an organization with its identity sources as Graph resolved them."""
        ...

    async def update(
        self, organization: ConnectedOrganization, wanted: Attributes
    ) -> ConnectedOrganization | Setback:
        """Return the organization those of the attributes in which it differs."""
        ...

    async def sponsors(
        self, organization_id: str, kind: SponsorKind
    ) -> tuple[SponsorObject, ...] | Setback: ...

    async def add_sponsor(
        self, organization_id: str, sponsorship: Sponsorship
    ) -> SponsorSettled | Later | Blocked: ...


@dataclass(frozen=True)
class OrganizationFilter:
    """Which organizations to list; None lets everything through."""

    display_name: str | None = None
    state: str | None = None
    domain_name: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True)
class OrganizationPage[O: ConnectedOrganization = ConnectedOrganization]:
    organizations: tuple[O, ...]
    continuation: str | None
    """Where the next page begins; None: this was the last."""


class OrganizationAdmin(Protocol):
    """What else can be done with organizations in Graph. None: it is done. No method raises."""

    async def list(
        self, which: OrganizationFilter, top: int, continuation: str | None
    ) -> OrganizationPage | Setback: ...

    async def list_sponsored(
        self, top: int, continuation: str | None
    ) -> OrganizationPage[SponsoredOrganization] | Setback:
        """List all organizations with their sponsors."""
        ...

    async def delete(self, organization_id: str) -> Setback | None: ...

    async def remove_sponsor(
        self, organization_id: str, kind: SponsorKind, object_id: str
    ) -> Setback | None: ...

    async def add_to_subject(
        self, request_id: str, resource_role_id: str, body: dict[str, Any]
    ) -> Setback | None:
        """Send what "Add connectedOrganization" (beta) documents: the organization itself."""
        ...

    async def set_on_subject(
        self, request_id: str, resource_role_id: str, organization_id: str
    ) -> Setback | None:
        """Set the same relationship in OData's own form: a reference to the organization."""
        ...


@dataclass(frozen=True)
class KeyReservation:
    """What an Idempotency-Key was used for."""

    fingerprint: str
    onboarding_id: str


@dataclass(frozen=True)
class OnboardingFilter:
    """Which onboardings to list; None lets everything through."""

    status: Status | None = None
    channel: str | None = None
    reference: str | None = None
    batch: str | None = None
    code: str | None = None
    """Of the last error."""
    since: datetime | None = None
    """Accepted at this moment or later."""
    until: datetime | None = None
    """Accepted at this moment or earlier."""
    text: str | None = None
    """In the name, the partner or the reference, in upper or lower case."""

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return self == OnboardingFilter()

    def lets_through(self, outline: "OnboardingOutline") -> bool:
        """Whether an outline has the code and the text; the ledger sees to the rest."""
        has_code = self.code is None or outline.code == self.code
        return has_code and (self.text is None or self.text.casefold() in outline.text)


@dataclass(frozen=True)
class OnboardingPage:
    onboardings: tuple[Onboarding, ...]
    continuation: str | None
    """Where the next page begins; None: this was the last."""


@dataclass(frozen=True)
class OnboardingOutline:
    """As much of an onboarding as is needed to count it."""

    id: str
    status: Status
    channel: str
    code: str | None
    """Of its last error."""
    text: str
    """What it is searched by, case-folded: name, partner, reference; blank: it was not read."""

    @classmethod
    def of(cls, held: Onboarding) -> Self:
        code = held.last_error.code if held.last_error else None
        return cls(held.id, held.status, held.channel, code, searched_text(held))

    @property
    def made_at(self) -> datetime:
        """When it was accepted."""
        return made_at(self.id)


def searched_text(held: Onboarding) -> str:
    """Return what an onboarding is searched by, case-folded, a line each."""
    request = held.request
    named = (request.display_name, request.identity_source.partner_name) if request else ()
    return "\n".join(part for part in (*named, held.reference) if part).casefold()


@dataclass(frozen=True)
class ClaimHeld:
    """The identity source is claimed by another onboarding, or by this one already."""

    holder: Onboarding


@dataclass(frozen=True)
class Holding:
    """What the ledger holds of an identity source."""

    onboardings: tuple[Onboarding, ...]
    """But for those that were forgotten."""
    callbacks: tuple[CallbackRecord, ...]
    connected_by: str | None
    """The onboarding that connects it by another name of it, where it is a tenant."""


@dataclass(frozen=True)
class HeldKey:
    """An Idempotency-Key that is bound."""

    id: str
    """Its hash."""
    onboarding_id: str
    etag: str


class Ledger(Protocol):
    """Where onboardings are kept. Every method may raise StorageUnavailableError.

    Every method that reads work may raise versions.NewerVersionError: after a rollback it was
    written by code that is newer than this, and nothing was changed. Lists leave it out.
    """

    async def open(self, onboarding: Onboarding) -> Onboarding | ClaimHeld:
        """Claim the identity source for this onboarding and write it, both or none.

        Where another onboarding holds the claim and doesn't give way, nothing is written.

        Raise SupersededError when the onboarding was read before and changed since.
        """
        ...

    async def record(self, onboarding: Onboarding) -> Onboarding:
        """Write a new onboarding that claims nothing, unless it is there. Returns what is there."""
        ...

    async def read(self, onboarding_id: str) -> Onboarding | None: ...

    async def save(self, onboarding: Onboarding) -> Onboarding:
        """Write a later version, if the version held is the one that was read.

        Raise SupersededError otherwise.
        """
        ...

    async def claim_tenant(
        self, tenant_id: str, onboarding: Onboarding, after: Onboarding | None = None
    ) -> Onboarding | None:
        """Note that the onboarding connects this tenant, under whatever name it asked for it.

        Return the other onboarding that has noted the same; the note is left to it, unless it is
        the one named in `after`, of which the caller knows what it came to.
        """
        ...

    async def holder_of(self, natural_key: str) -> Onboarding | None:
        """Return the onboarding that claims the identity source, unless it was forgotten."""
        ...

    async def of_organization(self, organization_id: str) -> tuple[Onboarding, ...]:
        """Return all onboardings whose result is this organization."""
        ...

    async def organizations(self) -> frozenset[str]:
        """Return the id of each organization that an onboarding has come to."""
        ...

    async def list(
        self, which: OnboardingFilter, limit: int, continuation: str | None
    ) -> OnboardingPage:
        """List onboardings, newest first."""
        ...

    def outline(
        self, which: OnboardingFilter, continuation: str | None = None
    ) -> AsyncGenerator[OnboardingOutline]:
        """Return the outline of each onboarding that matches, in no order.

        `continuation`: of those after it alone, as `list` has it.
        """
        ...

    async def reserve_key(
        self, caller: str, key: str, reservation: KeyReservation
    ) -> KeyReservation:
        """Bind a caller's Idempotency-Key, unless it is bound. Returns what it is bound to."""
        ...

    async def callback(self, onboarding_id: str, name: str) -> CallbackRecord:
        """Return what is known of a callback; where nothing is, a new note."""
        ...

    async def record_callback(self, note: CallbackRecord) -> CallbackRecord:
        """Write a later version of a note, if the version held is the one that was read.

        Raise SupersededError otherwise.
        """
        ...

    async def holding(self, partition: str) -> Holding:
        """Return what is held of an identity source. `partition`: as its ids carry it."""
        ...

    async def keys(self, partitions: Collection[str]) -> tuple[HeldKey, ...]:
        """Return the Idempotency-Keys of onboardings of these identity sources."""
        ...

    async def erase(self, held: CallbackRecord | HeldKey) -> None:
        """Delete it, if the version held is the one that was read.

        Raise SupersededError otherwise.
        """
        ...

    def purge(self, before: datetime) -> AsyncGenerator[int]:
        """Delete all that belongs to onboardings which closed before, as long as it is iterated.

        Return after each step how many onboardings that deleted. What somebody changes meanwhile
        stays, and so does what a newer version wrote.
        """
        ...


@dataclass(frozen=True)
class Receipt:
    """A message that was put and may still be moved or taken back."""

    message_id: str
    pop_receipt: str
    of_batch: bool = False
    """Whether it is on the queue of batches."""


class RetryQueue(Protocol):
    """What is still to do. Every method may raise StorageUnavailableError."""

    async def put(self, message: OnboardingMessage | BatchMessage, delay: float) -> Receipt:
        """Put a message that becomes visible after `delay` seconds, rounded up.

        What is about a batch goes to a queue of its own.
        """
        ...

    async def move(self, receipt: Receipt, message: OnboardingMessage, delay: float) -> None:
        """Put a message in the place of one; if that one is gone or being processed, do nothing."""
        ...

    async def delete(self, receipt: Receipt) -> None:
        """Take a message back; if it is gone or being processed, do nothing."""
        ...


class CallbackQueue(Protocol):
    """Which callbacks are still to be made. May raise StorageUnavailableError."""

    async def put(self, message: CallbackMessage, delay: float) -> Receipt:
        """Put a message that becomes visible after `delay` seconds, rounded up."""
        ...


class StoragePart(Protocol):
    """A queue or a table of the storage account, whatever it holds."""

    async def is_there(self) -> bool:
        """Whether it was made. Raise StorageUnavailableError."""
        ...


@dataclass(frozen=True)
class Backlog:
    """How much a queue holds."""

    messages: int = 0
    """About how many there are, hidden ones too."""
    overdue_since: datetime | None = None
    """When the oldest was put of those that could be taken right now; None: there is none."""


class MessageQueue(StoragePart, Protocol):
    """A queue, whatever its messages mean."""

    async def put_back(self, text: str, delay: float) -> None:
        """Put a message unchanged, which a newer version has put there and will read.

        It becomes visible after `delay` seconds, rounded up. Raise StorageUnavailableError.
        """
        ...

    async def hide(self, receipt: Receipt, delay: float) -> None:
        """Hide a message that is being processed for `delay` seconds, rounded up.

        Its receipt is stale from then on: its reader can't delete it any more. Raises
        StorageUnavailableError, also if the message is not being processed.
        """
        ...

    async def backlog(self) -> Backlog:
        """Return how much it holds, by two calls however much that is.

        Raise StorageUnavailableError.
        """
        ...


class Receiver(Protocol):
    """The receiver of callbacks. No method raises."""

    async def post(self, address: str, headers: Mapping[str, str], body: bytes) -> int | str:
        """Send a POST and give the status that was answered; or, where there is none, why.

        Redirects are answers like any other. The reason never holds the address.
        """
        ...


@dataclass(frozen=True)
class RowOutline:
    """As much of a row as is needed to count it."""

    number: int
    status: RowStatus
    conclusion: Conclusion | None
    duplicate_of: int | None
    noted_date_time: datetime | None


class Batches(Protocol):
    """Every method may raise StorageUnavailableError."""

    async def write(self, batch: Batch, rows: Sequence[BatchRow]) -> None:
        """Write the rows with their requests, and then the batch, which is there when they all are.

        What was written before stays as it is: the same call may be made again.
        """
        ...

    async def read(self, batch_id: str) -> Batch | None: ...

    async def row(self, place: RowRef) -> BatchRow | None:
        """Return a row without its request."""
        ...

    async def rows(
        self, batch_id: str, first: int = 0, last: int | None = None, *, requests: bool = False
    ) -> tuple[BatchRow, ...]:
        """Return the rows from one to another, in the order of the file."""
        ...

    async def outline(self, batch_id: str) -> tuple[RowOutline, ...]: ...

    async def save(self, rows: Sequence[BatchRow]) -> None:
        """Write later versions of at most 100 rows of a batch, all or none.

        Raise SupersededError where one of them is not as it was read.
        """
        ...

    def find(self, is_wanted: Callable[[BatchRow], bool]) -> AsyncGenerator[BatchRow]:
        """Return the wanted rows of all batches, with their requests."""
        ...

    async def forget(self, row: BatchRow) -> None:
        """Write a later version of a row, and erase its request.

        Raise SupersededError where it is not as it was read.
        """
        ...

    def purge(self, before: datetime) -> AsyncGenerator[int]:
        """Delete batches that were accepted before; give how many, step by step.

        What became of their onboardings stays in the ledger as long as that keeps it.
        """
        ...
