"""A row of a batch: carry on with its onboarding, and note in the batch what it has come to.

    message ─► read the row ─► its onboarding, as for any message ─► note ─► let the message go

The note is made before the message goes, so that a crash brings the message back and the same is
noted again. A row that joins another request's onboarding keeps its own message until that ends.
"""

from connorg import states
from connorg.batches import bury_batch, spread
from connorg.contract.batch_place import BatchPlace
from connorg.contract.batches import BatchRow, RowStatus
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.core import Core
from connorg.joining import Conflict
from connorg.ports import HeldBy, StorageUnavailableError, SupersededError
from connorg.replaying import cancel
from connorg.resuming import (
    POISONED,
    POSTPONE,
    advance,
    bury,
    obstacle,
    try_at_turn,
    wait_for_turn,
)

type Advanced = tuple[Onboarding, float | None]


async def resume_row(core: Core, message: OnboardingMessage | BatchMessage) -> None:
    """Carry on with a row, or put more rows of a batch on the queue.

    Raises StorageUnavailableError when neither tables nor queue can be reached.
    """
    try:
        if isinstance(message, BatchMessage):
            await spread(core, message)
        else:
            await _resume(core, message)
    except StorageUnavailableError:
        # A new message starts a new count of deliveries, as for any onboarding.
        await core.queue.put(message, POSTPONE)


async def bury_row(core: Core, message: OnboardingMessage | BatchMessage) -> None:
    """Close the onboarding of a message that the Functions host gave up, and note it.

    Raises SupersededError while an attempt is running: the message must come again.
    """
    if isinstance(message, BatchMessage):
        await bury_batch(core, message, POISONED)
        return
    onboarding = await bury(core, message, armed=False)
    if message.batch_row is not None:
        row = await core.batches.row(message.batch_row)
        await _note(core, message, row, onboarding)


async def _resume(core: Core, message: OnboardingMessage) -> None:
    row = await core.batches.row(message.batch_row) if message.batch_row else None
    if row is not None and await _is_dealt_with(core, message, row):
        return
    onboarding, delay = await _advance(core, message, row)
    await _note(core, message, row, onboarding)
    if delay is not None:
        # Its own message again, though another onboarding may stand for its own by now.
        again = message.model_copy(update={"attempt": onboarding.attempts})
        await core.queue.put(again, delay)


async def _is_dealt_with(core: Core, message: OnboardingMessage, row: BatchRow) -> bool:
    if row.status is not RowStatus.CANCELED or row.is_stale(message.replay):
        return row.is_dealt_with(message.replay)
    result = await cancel(core, message.onboarding_id)
    if not isinstance(result, Conflict) or result.onboarding is None:
        return True  # what it had begun is canceled with it
    # That is being tried, or has ended: so it is noted, unless a replay was all that was canceled.
    began = result.onboarding
    return began.status is Status.FAILED and (message.replay or "") > (began.replay or "")


async def _advance(core: Core, message: OnboardingMessage, row: BatchRow | None) -> Advanced:
    is_new = row is not None and row.status is RowStatus.NOT_STARTED
    if is_new and message.attempt == 0 and message.replay is None:
        advanced = await _begin(core, message)
        if advanced is not None:
            return advanced
    return await advance(core, message, armed=False)


async def _begin(core: Core, message: OnboardingMessage) -> Advanced | None:
    """Take a turn before anything is written, and open the onboarding as running.

    That spares a read and a write for each row. None: it has been opened, or another holds the
    identity source.
    """
    newcomer = core.onboarding_of(message)
    delay = obstacle(core, newcomer, await core.ledger.gate())
    if delay > 0:
        return newcomer, delay
    turn, gate = await wait_for_turn(core)
    delay = obstacle(core, newcomer, gate)
    if delay > 0:
        return newcomer, delay
    begun = await core.ledger.open(states.begin(newcomer, core.clock.now(), core.timing))
    return None if isinstance(begun, HeldBy) else await try_at_turn(core, begun, turn, gate)


async def _note(
    core: Core, message: OnboardingMessage, row: BatchRow | None, onboarding: Onboarding
) -> None:
    """Write into the row what the onboarding has come to, whatever is noted meanwhile."""
    while row is not None:
        noted = row.noting(onboarding, message.replay, core.clock.now())
        if noted is row:
            return
        try:
            await core.batches.save([noted])
        except SupersededError:
            row = await core.batches.row(BatchPlace(batch=row.batch_id, row=row.number))
        else:
            return
