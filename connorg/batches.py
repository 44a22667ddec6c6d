"""A batch: accept a file of requests, put its rows on the queue, replay and cancel them.

Why no row is lost: the rows are written, then the batch, then a message that puts the rows on the
queue; only then is the batch accepted. That message goes in slices, each with its successor put
first, so that a crash repeats one slice. A row that is on the queue twice is dealt with once.

    write the rows ─► the batch ─► a message ─► 202
                                      └► 250 rows on the queue ─► the next 250 …
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connorg.contract.batch_place import BatchPlace
from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.faults import RowFault
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import OnboardingError
from connorg.core import Core
from connorg.joining import Conflict, Reason
from connorg.natural_key import new_batch_id, row_onboarding_id
from connorg.ports import KeyReservation, SupersededError
from connorg.replaying import new_replay

if TYPE_CHECKING:
    from connorg.intake.partner_files import PartnerRow

SOURCE = "batch"
_SLICE = 250  # rows that one message puts on the queue
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
    """Tells a body from any other."""
    traceparent: str | None


def judged(core: Core, row: "PartnerRow", reference: str | None) -> BatchRow:
    """Hold a row against the policy too: what it refuses is a fault like any other."""
    request, faults = row.request, row.faults
    if request is not None:
        if request.reference is None:
            request = request.model_copy(update={"reference": reference})
        faults += _refusals(core, row)
    valid = request is not None and not faults
    return BatchRow(
        batch_id="",
        number=row.number,
        name=row.name,
        status=RowStatus.NOT_STARTED if valid else RowStatus.INVALID,
        duplicate_of=row.duplicate_of if valid else None,
        faults=faults,
        request=request if valid else None,
    )


def _refusals(core: Core, row: "PartnerRow") -> tuple[RowFault, ...]:
    if row.request is None:
        return ()
    if row.request.callback_url is not None:
        return (RowFault(row=row.number, pointer="/callbackUrl", detail=_NO_CALLBACKS),)
    refusal = core.policy.early_refusal(row.request, SOURCE)
    faults = refusal.faults if refusal is not None else ()
    return tuple(RowFault(row=row.number, **fault.model_dump()) for fault in faults)


async def submit_batch(core: Core, submission: BatchSubmission) -> Batch | Conflict:
    """Accept a batch. Raises StorageUnavailableError: the same may be sent again."""
    batch = Batch(
        id=new_batch_id(core.clock.now(), core.random),
        created_date_time=core.clock.now(),
        reference=submission.reference,
        ignored_columns=submission.ignored_columns,
        traceparent=submission.traceparent,
    )
    if submission.idempotency_key is not None:
        reservation = KeyReservation(submission.fingerprint, batch.id)
        bound = await core.ledger.reserve_key(
            submission.caller, submission.idempotency_key, reservation
        )
        if bound.fingerprint != submission.fingerprint:
            return Conflict(Reason.KEY_REUSED, bound.onboarding_id)
        batch = batch.model_copy(update={"id": bound.onboarding_id})
        earlier = await core.batches.read(batch.id)
        if earlier is not None and await _is_begun(core, earlier):
            return earlier
    rows = [row.model_copy(update={"batch_id": batch.id}) for row in submission.rows]
    await core.batches.write(batch, rows)
    await core.queue.put(BatchMessage(batch_id=batch.id), 0)
    return await core.batches.read(batch.id) or batch


async def _is_begun(core: Core, batch: Batch) -> bool:
    """Tell whether its message was put for sure. Once more does no harm."""
    return any(row.noted_date_time for row in await core.batches.outline(batch.id))


async def spread(core: Core, message: BatchMessage) -> None:
    """Put the next slice of a batch's rows on the queue.

    Raises StorageUnavailableError: the message must come again.
    """
    batch = await core.batches.read(message.batch_id)
    if batch is None:
        return
    if message.replay is not None and message.after == 0:
        await _hand_to_replay(core, batch.id, message.replay)
    rows = await core.batches.rows(batch.id, message.after, _SLICE, requests=True)
    if len(rows) == _SLICE:
        await core.queue.put(message.model_copy(update={"after": rows[-1].number}), 0)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def put(row: BatchRow) -> None:
        async with at_once:
            await core.queue.put(_message_of(row, batch), 0)

    await asyncio.gather(*(put(row) for row in rows if _is_due(row, message.replay)))


def _is_due(row: BatchRow, replay: str | None) -> bool:
    is_done_elsewhere = row.duplicate_of is not None or row.status.terminal
    return row.request is not None and not is_done_elsewhere and row.replay == replay


def _message_of(row: BatchRow, batch: Batch) -> OnboardingMessage:
    if row.request is None:
        raise AssertionError("only rows with a request are put on the queue")
    return OnboardingMessage(
        onboarding_id=row_onboarding_id(batch.id, row.number, row.request.natural_key),
        request=row.request,
        source=SOURCE,
        replay=row.replay,
        batch_row=BatchPlace(batch=batch.id, row=row.number),
        traceparent=batch.traceparent,
    )


async def replay_batch(core: Core, batch: Batch) -> None:
    """Start the rows that failed anew. Raises StorageUnavailableError: it may be repeated."""
    name = new_replay(core)
    # The message first: whatever happens then, it hands the rows over too.
    await core.queue.put(BatchMessage(batch_id=batch.id, replay=name), 0)
    await _hand_to_replay(core, batch.id, name)


async def _hand_to_replay(core: Core, batch_id: str, name: str) -> None:
    def handed(row: BatchRow) -> BatchRow:
        if row.status is not RowStatus.FAILED or name <= (row.replay or ""):
            return row
        fresh = {"status": RowStatus.NOT_STARTED, "replay": name, "noted_date_time": None}
        return row.model_copy(update={**fresh, "error": None, "attempts": 0})

    await _change(core, batch_id, handed)


async def cancel_batch(core: Core, batch: Batch) -> None:
    """Cancel the rows that are not done. One that is being tried right now ends as it ends."""
    now = core.clock.now()

    def canceled(row: BatchRow) -> BatchRow:
        if row.status.terminal or row.duplicate_of is not None:
            return row
        changes = {"status": RowStatus.CANCELED, "noted_date_time": now, "error": None}
        return row.model_copy(update=changes)

    await _change(core, batch.id, canceled)


async def bury_batch(core: Core, message: BatchMessage, error: OnboardingError) -> None:
    """Fail the rows that a message should have put on the queue when the host gave it up."""
    now = core.clock.now()

    def failed(row: BatchRow) -> BatchRow:
        if row.number <= message.after or row.duplicate_of is not None:
            return row
        if row.status is not RowStatus.NOT_STARTED or row.replay != message.replay:
            return row
        told = error.model_copy(update={"date_time": now})
        changes = {"status": RowStatus.FAILED, "noted_date_time": now, "error": told}
        return row.model_copy(update=changes)

    await _change(core, message.batch_id, failed)


async def _change(core: Core, batch_id: str, change: Callable[[BatchRow], BatchRow]) -> None:
    """Change rows, whatever is noted of them meanwhile."""
    after = 0
    while rows := await core.batches.rows(batch_id, after, _TRANSACTION):
        changed = [new for row in rows if (new := change(row)) != row]
        try:
            await _save(core, changed)
        except SupersededError:
            continue  # a row was noted since: once more, with what it is now
        after = rows[-1].number


async def _save(core: Core, rows: Sequence[BatchRow]) -> None:
    if rows:
        await core.batches.save(rows)
