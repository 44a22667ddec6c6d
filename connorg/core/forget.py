"""Forget a partner: erase what the ledger and batches hold of one, when nothing of it is under way.

One thing leads to the next: a name to its onboardings, these to their organization and tenant,
and those to onboardings under other names of the same partner.

    find all of it ─► is any under way? ─► keys ─► callbacks ─► rows of batches ─► onboardings
                                                                    the last found goes first ┘

What leads to the rest goes last, so a call that dies on the way can be repeated and finds it. Each
is erased as it was read: a row that has changed meanwhile is read again.

Of an onboarding stays that it ended (lifecycle.forget), of a tenant which onboarding connected it:
both are ids, and what keeps the partner from being created twice. Claims only name such ids.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from connorg.contract.batches import BatchRow
from connorg.contract.callbacks import CallbackRecord
from connorg.contract.domains import domain_of, normalise_domain
from connorg.contract.forgetting import Erased, Forgotten
from connorg.contract.identifiers import partition_of, split_id
from connorg.contract.identity_sources import natural_key_of, natural_keys_of_tenant
from connorg.contract.onboarding import Onboarding
from connorg.core.domain import lifecycle
from connorg.core.ports import HeldKey, Ledger, OnboardingFilter, SupersededError
from connorg.core.services import Services

_MOST_OF_A_REFERENCE = 100  # onboardings; one partner has a few


@dataclass(frozen=True)
class Named:
    """A partner by its domain or tenant id."""

    name: str
    natural_keys: tuple[str, ...]
    """All that the name makes."""


@dataclass(frozen=True)
class Referenced:
    """The partner that a ticket was about."""

    reference: str


@dataclass(frozen=True)
class UnderWay:
    """Nothing was erased: these are not done."""

    things: tuple[str, ...]


class SeveralPartnersError(Exception):
    """A reference names more than one partner."""


async def forget_partner(
    services: Services, partner: Named | Referenced, *, dry_run: bool
) -> Forgotten | UnderWay:
    """Erase what is held of a partner. A dry run changes nothing.

    Raise SeveralPartnersError, StorageUnavailableError: the call may be repeated.
    """
    while True:
        held = await _find(services, partner)
        if under_way := tuple(held.under_way(services)):
            return UnderWay(under_way)
        if dry_run:
            return held.told(dry_run=True)
        with suppress(SupersededError):  # somebody changed some of it: read all of it again
            await _erase(services, held)
            return held.told(dry_run=False)


@dataclass
class _Held:
    """All that is held of a partner."""

    names: set[str]
    onboardings: dict[str, Onboarding] = field(default_factory=dict)
    """By id. Each was found by one before it, or by what the partner is called."""
    partitions: dict[str, None] = field(default_factory=dict)
    organizations: set[str] = field(default_factory=set)
    callbacks: list[CallbackRecord] = field(default_factory=list)
    keys: tuple[HeldKey, ...] = ()
    rows: list[BatchRow] = field(default_factory=list)

    def is_about(self, row: BatchRow) -> bool:
        """Whether a row of a batch is about the partner, and not forgotten yet."""
        if row.forgotten_date_time is not None:
            return False
        places = {split_id(row.onboarding_id)[0]} if row.onboarding_id else set()
        places |= {partition_of(row.request.natural_key)} if row.request else set()
        return (
            not places.isdisjoint(self.partitions)
            or row.organization_id in self.organizations
            or not _names_in(row).isdisjoint(self.names)
        )

    def under_way(self, services: Services) -> Iterator[str]:
        for onboarding in self.onboardings.values():
            if not onboarding.status.terminal:
                yield f"onboarding {onboarding.id} ({onboarding.status})"
        # A message of a callback may be on the queue for that long after it was due.
        since = services.clock.now() - timedelta(seconds=services.timing.callback_give_up)
        for note in self.callbacks:
            if note.ended is None and note.due is not None and note.due >= since:
                yield f"{note.name} of onboarding {note.onboarding_id}"
        for row in self.rows:
            if row.duplicate_of is None and not row.status.terminal:
                yield f"row {row.number} of {row.batch_id} ({row.status})"

    def told(self, *, dry_run: bool) -> Forgotten:
        return Forgotten(
            dry_run=dry_run,
            partners=tuple(sorted(self.names)),
            onboardings=Erased.of(*self.onboardings),
            callbacks=Erased.of(*(note.name for note in self.callbacks)),
            idempotency_keys=Erased.of(*(key.id for key in self.keys)),
            batch_rows=Erased.of(*(f"{row.batch_id}/{row.number}" for row in self.rows)),
        )


def _names_in(row: BatchRow) -> set[str]:
    """Return what a row calls its partner, also where it has faults."""
    names = {row.name.strip().lower()}
    with suppress(ValueError):
        names.add(normalise_domain(domain_of(row.name)))
    return names


async def _find(services: Services, partner: Named | Referenced) -> _Held:
    match partner:
        case Named(name, natural_keys):
            held = _Held({name})
            await _follow(services.ledger, held, *map(partition_of, natural_keys))
        case Referenced(reference):
            held = _Held(set())
            await _follow_reference(services.ledger, held, reference)
    held.keys = await services.ledger.keys(held.partitions)
    async with aclosing(services.batches.find(held.is_about)) as rows:
        held.rows = [row async for row in rows]
    return held


async def _follow_reference(ledger: Ledger, held: _Held, reference: str) -> None:
    which = OnboardingFilter(reference=reference)
    page = await ledger.list(which, _MOST_OF_A_REFERENCE, None)
    # First of all, for a repeated call is led by them alone.
    held.onboardings.update((onboarding.id, onboarding) for onboarding in page.onboardings)
    places = [split_id(o.id)[0] for o in page.onboardings if o.request is not None]
    await _follow(ledger, held, *places[:1])
    if page.continuation is not None or not held.partitions.keys() >= {*places}:
        raise SeveralPartnersError(reference)
    # What could not be understood has no known partner, only its ticket.
    await _follow(ledger, held, *(split_id(o.id)[0] for o in page.onboardings))


async def _follow(ledger: Ledger, held: _Held, *partitions: str) -> None:
    """Find all to which these lead."""
    ahead = deque(partitions)
    while ahead:
        partition = ahead.popleft()
        if partition in held.partitions:
            continue
        held.partitions[partition] = None
        holding = await ledger.holding(partition)
        held.callbacks += holding.callbacks
        if holding.connected_by is not None:
            ahead.append(split_id(holding.connected_by)[0])
        for onboarding in holding.onboardings:
            held.onboardings.setdefault(onboarding.id, onboarding)
            if onboarding.request is not None:
                held.names.add(onboarding.request.identity_source.partner_name)
            ahead.extend(await _leads(ledger, held, onboarding))


async def _leads(ledger: Ledger, held: _Held, onboarding: Onboarding) -> list[str]:
    """Return where the partner is stored under other names, by the result of an onboarding."""
    result = onboarding.result
    if result is None:
        return []
    tenant_ids = {result.tenant.tenant_id} if result.tenant else set()
    keys = {key for source in result.identity_sources if (key := natural_key_of(source))}
    keys |= {key for each in tenant_ids for key in natural_keys_of_tenant(each.lower())}
    others: tuple[Onboarding, ...] = ()
    if result.id not in held.organizations:
        held.organizations.add(result.id)
        others = await ledger.of_organization(result.id)
    return [*map(partition_of, keys), *(split_id(other.id)[0] for other in others)]


async def _erase(services: Services, held: _Held) -> None:
    entries: list[HeldKey | CallbackRecord] = [*held.keys, *held.callbacks]
    for entry in entries:
        await services.ledger.erase(entry)
    for row in held.rows:
        await services.batches.forget(row.forgotten(services.clock.now()))
    for onboarding in reversed(held.onboardings.values()):
        await services.ledger.save(lifecycle.forget(onboarding))
