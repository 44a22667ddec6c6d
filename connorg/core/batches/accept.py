"""A batch: accept a file of requests, put its rows on the queue, replay and cancel them.

Why no row is lost: the rows are written, then the batch, then a message that puts the rows on the
queue; only then is the batch accepted. A crash brings that message back, and some rows come twice:
a row that is on the queue twice is dealt with once.

    write the rows ─► the batch ─► a message ─► 202
                                      └► messages of five rows each (batch_rows)
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connorg.contract import channels
from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.faults import RowFault
from connorg.contract.identifiers import new_batch_id, new_replay, row_onboarding_id
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.core.domain.claims import Conflict, Reason
from connorg.core.ports import Batches, KeyReservation, SupersededError
from connorg.core.services import Services

if TYPE_CHECKING:
    from connorg.partner_files.reader import PartnerRow

_SLICE = 5  # rows of a message, which share its calls to storage
_AT_ONCE = 8  # messages, so that it leaves storage to others too
_TRANSACTION = 100  # rows

_NO_CALLBACKS = "Rows of a batch are not called back; look at the batch, or send it by itself."


@dataclass(frozen=True)
class BatchSubmission:
    rows: tuple[BatchRow, ...]
    """As `judged` gives them; their batch's id is not known yet."""
    ignored_columns: tuple[str, ...]
    reference: str | None
    caller: str
    idempotency_key: str | None
    fingerprint: str
    """A hash of the body."""
    traceparent: str | None
    by: str | None = None
    """Who requests it, as in the history of its onboardings."""


def apply_policy(services: Services, row: "PartnerRow", reference: str | None) -> BatchRow:
    """Hold a row against the policy too: what it refuses is a fault like any other."""
    request, faults = row.request, row.faults
    if request is not None:
        if request.reference is None:
            request = request.model_copy(update={"reference": reference})
        faults += _refusals(services, row)
    valid = request is not None and not faults
    return BatchRow(
        batch_id="",
        number=row.number,
        name=row.name,
        status=RowStatus.NOT_STARTED if valid else RowStatus.INVALID,
        duplicate_of=row.duplicate_of if valid else None,
        faults=faults,
        note=row.note,
        request=request if valid else None,
    )


def _refusals(services: Services, row: "PartnerRow") -> tuple[RowFault, ...]:
    if row.request is None:
        return ()
    if row.request.callback_url is not None:
        return (RowFault(row=row.number, pointer="/callbackUrl", detail=_NO_CALLBACKS),)
    refusal = services.policy.early_refusal(row.request, channels.BATCH)
    faults = refusal.faults if refusal is not None else ()
    return tuple(
        RowFault(row=row.number, column=row.column_of(fault.pointer), **fault.model_dump())
        for fault in faults
    )


async def submit_batch(services: Services, submission: BatchSubmission) -> Batch | Conflict:
    """Accept a batch. Raise StorageUnavailableError: the same may be sent again."""
    batch = Batch(
        id=new_batch_id(services.clock.now(), services.random),
        created_date_time=services.clock.now(),
        reference=submission.reference,
        ignored_columns=submission.ignored_columns,
        traceparent=submission.traceparent,
    )
    if submission.idempotency_key is not None:
        reservation = KeyReservation(submission.fingerprint, batch.id)
        bound = await services.ledger.reserve_key(
            submission.caller, submission.idempotency_key, reservation
        )
        if bound.fingerprint != submission.fingerprint:
            return Conflict(Reason.KEY_REUSED, bound.onboarding_id)
        batch = batch.model_copy(update={"id": bound.onboarding_id})
        earlier = await services.batches.read(batch.id)
        if earlier is not None and await _is_begun(services.batches, earlier):
            return earlier
    rows = [row.model_copy(update={"batch_id": batch.id}) for row in submission.rows]
    await services.batches.write(batch, rows)
    message = BatchMessage(batch_id=batch.id, by=submission.by, traceparent=batch.traceparent)
    await services.queue.put(message, 0)
    return await services.batches.read(batch.id) or batch


async def _is_begun(batches: Batches, batch: Batch) -> bool:
    """Whether its message was put for sure. Once more does no harm."""
    return any(row.noted_date_time for row in await batches.outline(batch.id))


async def enqueue_rows(services: Services, message: BatchMessage) -> None:
    """Put the rows of a batch on the queue, some to a message.

    Raise StorageUnavailableError: the message must come again.
    """
    if message.replay is not None:
        await _hand_to_replay(services, message.batch_id, message.replay)
    rows = await services.batches.rows(message.batch_id)
    due = [row.number for row in rows if is_due(row, message.replay)]
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def put(numbers: Sequence[int]) -> None:
        some = {"first": numbers[0], "last": numbers[-1]}
        async with at_once:
            await services.queue.put(message.model_copy(update=some), 0)

    await asyncio.gather(*(put(due[i : i + _SLICE]) for i in range(0, len(due), _SLICE)))


def is_due(row: BatchRow, replay: str | None) -> bool:
    """Whether a message of this replay (None: the beginning) has something to do for a row."""
    return row.duplicate_of is None and not row.status.terminal and row.replay == replay


def message_of_row(row: BatchRow, message: BatchMessage) -> OnboardingMessage:
    """Return the message that continues one row of a batch's message."""
    if row.request is None:
        raise AssertionError("only rows with a request are put on the queue")
    return OnboardingMessage(
        onboarding_id=row_onboarding_id(row.batch_id, row.number, row.request.natural_key),
        request=row.request,
        channel=channels.BATCH,
        replay=row.replay,
        batch_row=row.place,
        by=message.by,
        traceparent=message.traceparent,
    )


async def replay_batch(services: Services, batch: Batch, by: str | None = None) -> None:
    """Retry the rows that failed. `by`: who requests it.

    Raise StorageUnavailableError: it may be repeated.
    """
    name = new_replay(services.clock.now(), services.random)
    # The message first: whatever happens then, it hands the rows over too.
    message = BatchMessage(batch_id=batch.id, replay=name, by=by, traceparent=batch.traceparent)
    await services.queue.put(message, 0)
    await _hand_to_replay(services, batch.id, name)


async def _hand_to_replay(services: Services, batch_id: str, name: str) -> None:
    def handed(row: BatchRow) -> BatchRow:
        if row.status is not RowStatus.FAILED or name <= (row.replay or ""):
            return row
        if row.forgotten_date_time is not None:  # it has no request any more
            return row
        fresh = {"status": RowStatus.NOT_STARTED, "replay": name, "noted_date_time": None}
        return row.model_copy(update={**fresh, "error": None, "attempts": 0})

    await _change(services.batches, batch_id, handed)


async def cancel_batch(services: Services, batch: Batch) -> None:
    """Cancel the rows that are not done. One that is being tried right now ends as it ends."""
    now = services.clock.now()

    def canceled(row: BatchRow) -> BatchRow:
        if row.status.terminal or row.duplicate_of is not None:
            return row
        changes = {"status": RowStatus.CANCELED, "noted_date_time": now, "error": None}
        return row.model_copy(update=changes)

    await _change(services.batches, batch.id, canceled)


async def _change(batches: Batches, batch_id: str, change: Callable[[BatchRow], BatchRow]) -> None:
    """Change rows, whatever is noted of them meanwhile."""
    rows = await batches.rows(batch_id)
    while changed := [new for row in rows if (new := change(row)) != row]:
        for start in range(0, len(changed), _TRANSACTION):
            with suppress(SupersededError):  # a row was noted since: once more, with what it is now
                await batches.save(changed[start : start + _TRANSACTION])
        rows = await batches.rows(batch_id)
