"""Rows of a batch: continue their onboardings, and write the results into the batch.

    message ─► read its rows ─► their onboardings, as for any message ─► note ─► let the message go

The note is made before the message goes, so that a crash brings the message back and the same is
noted again. What is not done with a row then gets a message of its own. So does a row that joins
another request's onboarding, until that ends.
"""

import asyncio
from dataclasses import dataclass

from connorg.contract import channels
from connorg.contract.batches import BatchRow, RowStatus
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.core.batches.accept import enqueue_rows, is_due, message_of_row
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict
from connorg.core.onboarding.records import onboarding_of, put_again
from connorg.core.onboarding.replay import cancel
from connorg.core.onboarding.resume import advance, bury, try_at_turn
from connorg.core.ports import Batches, ClaimHeld, StorageUnavailableError, SupersededError
from connorg.core.redelivery import POSTPONE, put_again_in_outage
from connorg.core.services import Services
from connorg.telemetry import hooks as telemetry

_AT_ONCE = 8  # messages that are put, or rows that are buried

type Advanced = tuple[Onboarding, float | None]


@dataclass(frozen=True)
class _Task:
    """A row, as it was read, and the message that continues this row only."""

    row: BatchRow
    message: OnboardingMessage


async def resume_rows(
    services: Services, message: OnboardingMessage | BatchMessage, deliveries: int
) -> None:
    """Carry on with a row or several, or put the rows of a batch on the queue.

    `deliveries`: how often the message has come by now.
    Raise StorageUnavailableError when neither tables nor queue can be reached.
    """
    async with put_again_in_outage(services.queue, message):
        await _resume(services, message, deliveries)


async def _resume(
    services: Services, message: OnboardingMessage | BatchMessage, deliveries: int
) -> None:
    if isinstance(message, OnboardingMessage):
        await _resume_one(services, message)
    elif message.first is None:
        await enqueue_rows(services, message)
    elif deliveries > 1:
        await _take_apart(services, message)
    else:
        tasks = await _tasks(services.batches, message)
        await _note_all(
            services, await asyncio.gather(*(_carry_on(services, task) for task in tasks))
        )


async def bury_rows(services: Services, message: OnboardingMessage | BatchMessage) -> None:
    """Close the rows of a message that the Functions host gave up, and note it.

    Raise SupersededError while an attempt is running: the message must come again.
    """
    if isinstance(message, OnboardingMessage):
        await _bury(services, message)
        return
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(task: _Task) -> None:
        async with at_once:
            await _bury(services, task.message)

    await asyncio.gather(*map(one, await _tasks(services.batches, message)))


async def _bury(services: Services, message: OnboardingMessage) -> None:
    onboarding = await bury(services, message, armed=False)
    row = await services.batches.row(message.batch_row) if message.batch_row else None
    await _note(services, message, row, onboarding)


async def _tasks(batches: Batches, message: BatchMessage) -> list[_Task]:
    """Return the rows of a message that something is to be done for."""
    rows = await batches.rows(message.batch_id, message.first or 0, message.last, requests=True)
    due = (row for row in rows if is_due(row, message.replay))
    return [_Task(row, message_of_row(row, message)) for row in due]


async def _take_apart(services: Services, message: BatchMessage) -> None:
    """Return each row a message of its own: one of them may be what kills the process each time."""
    for task in await _tasks(services.batches, message):
        await services.queue.put(task.message, 0)


async def _carry_on(services: Services, task: _Task) -> tuple[_Task, Advanced | None]:
    try:
        return task, await _advance(services, task.message, task.row)
    except StorageUnavailableError:
        return task, None  # the other rows of its message must not come again for it


async def _note_all(services: Services, done: list[tuple[_Task, Advanced | None]]) -> None:
    """Write the results of rows of one batch, in one transaction if nothing has changed since."""
    now = services.clock.now()
    concluded = [(task, advanced[0]) for task, advanced in done if advanced is not None]
    noted = [
        (task.row, task.row.with_outcome(onboarding, task.message.replay, now))
        for task, onboarding in concluded
    ]
    try:
        await services.batches.save([new for old, new in noted if new is not old])
    except SupersededError:
        for task, onboarding in concluded:
            await _note(services, task.message, task.row, onboarding)
    for task, advanced in done:
        await _come_again(services, task.message, advanced)


async def _resume_one(services: Services, message: OnboardingMessage) -> None:
    row = await services.batches.row(message.batch_row) if message.batch_row else None
    if row is not None and await _is_dealt_with(services, message, row):
        return
    advanced = await _advance(services, message, row)
    await _note(services, message, row, advanced[0])
    await _come_again(services, message, advanced)


async def _come_again(
    services: Services, message: OnboardingMessage, advanced: Advanced | None
) -> None:
    """Put the row's own message again, although another onboarding may cover its own by now."""
    if advanced is None:
        await services.queue.put(message, POSTPONE)
        return
    onboarding, delay = advanced
    if delay is not None:
        known = {"attempt": onboarding.attempts, "traceparent": onboarding.traceparent}
        await put_again(services, message.model_copy(update=known), onboarding, delay)


async def _is_dealt_with(services: Services, message: OnboardingMessage, row: BatchRow) -> bool:
    if row.status is not RowStatus.CANCELED or row.is_stale(message.replay):
        return row.is_dealt_with(message.replay)
    result = await cancel(services, message.onboarding_id, channels.BATCH)
    if not isinstance(result, Conflict) or result.onboarding is None:
        return True  # what it had begun is canceled with it
    # That is being tried, or has ended: so it is noted, unless a replay was all that was canceled.
    began = result.onboarding
    return began.status is Status.FAILED and (message.replay or "") > (began.replay or "")


async def _advance(
    services: Services, message: OnboardingMessage, row: BatchRow | None
) -> Advanced:
    with telemetry.resume(message):
        return await _begin_or_advance(services, message, row)


async def _begin_or_advance(
    services: Services, message: OnboardingMessage, row: BatchRow | None
) -> Advanced:
    is_new = row is not None and row.status is RowStatus.NOT_STARTED
    if is_new and message.attempt == 0 and message.replay is None:
        advanced = await _begin(services, message)
        if advanced is not None:
            return advanced
    return await advance(services, message, armed=False, patient=True)


async def _begin(services: Services, message: OnboardingMessage) -> Advanced | None:
    """Take a turn before anything is written, and open the onboarding as running.

    That spares a read and a write for each row. None: it has been opened, or another holds the
    identity source.
    """
    newcomer = onboarding_of(services, message)
    taken = await services.throttle.turn(newcomer.due, patient=True)
    if isinstance(taken, float):
        return newcomer, taken
    with telemetry.opening():
        begun = await services.ledger.open(
            lifecycle.begin(newcomer, services.clock.now(), services.timing)
        )
    if isinstance(begun, ClaimHeld):
        return None
    telemetry.accepted()
    return await try_at_turn(services, begun, *taken)


async def _note(
    services: Services, message: OnboardingMessage, row: BatchRow | None, onboarding: Onboarding
) -> None:
    """Write into the row what the onboarding has come to, whatever is noted meanwhile."""
    while row is not None:
        noted = row.with_outcome(onboarding, message.replay, services.clock.now())
        if noted is row:
            return
        try:
            await services.batches.save([noted])
        except SupersededError:
            row = await services.batches.row(row.place)
        else:
            return
