"""Replay and cancel: what an operator does with an onboarding."""

from connorg.contract.identifiers import new_replay
from connorg.contract.onboarding import Onboarding, Status
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.onboarding.records import delete_safety_message, message_of, read_kept
from connorg.core.ports import ClaimHeld, SupersededError
from connorg.core.services import Services
from connorg.telemetry import hooks as telemetry


async def replay(
    services: Services, onboarding_id: str, by: str | None = None
) -> Submitted | Conflict | None:
    """Retry a failed onboarding; None: there is no such onboarding. `by`: who requests it.

    Raise StorageUnavailableError: the call may be repeated.
    """
    onboarding = await read_kept(services.ledger, onboarding_id)
    if onboarding is None:
        return None
    if onboarding.status is not Status.FAILED or onboarding.request is None:
        return Conflict(Reason.NOT_FAILED, onboarding.id, onboarding)
    # The message carries the replay, so that the first one carries it out: this call, or the
    # queue trigger after a crash right here.
    name = new_replay(services.clock.now(), services.random)
    receipt = await services.queue.put(message_of(onboarding, replay=name, by=by), 0)
    reopened = await reopen(services, onboarding, name, by)
    if isinstance(reopened, ClaimHeld):
        await delete_safety_message(services.queue, receipt)
        return Conflict(Reason.EXISTS, reopened.holder.id, reopened.holder)
    return Submitted(reopened, fresh=True)


async def reopen(
    services: Services, failed: Onboarding, name: str, by: str | None
) -> Onboarding | ClaimHeld:
    reopened = lifecycle.reopen(failed, name, services.clock.now(), services.timing, by)
    try:
        opened = await services.ledger.open(reopened)
    except SupersededError:
        # The replay's message was quicker, or another replay.
        held = await services.ledger.read(failed.id) or reopened
        has_begun = held.give_up_date_time > failed.give_up_date_time
        is_needless = held.status is Status.FAILED and held.replay == name and not has_begun
        return ClaimHeld(held) if is_needless else held
    if not isinstance(opened, ClaimHeld):
        telemetry.accepted()
    return opened


async def cancel(
    services: Services, onboarding_id: str, by: str | None = None
) -> Submitted | Conflict | None:
    """Cancel an onboarding that waits; None: there is no such onboarding. `by`: who requests it.

    Its message comes back, finds it closed and goes.
    """
    onboarding = await read_kept(services.ledger, onboarding_id)
    if onboarding is None:
        return None
    if onboarding.status is Status.CANCELED:
        return Submitted(onboarding, fresh=False)
    if Status.CANCELED not in lifecycle.MOVES[onboarding.status]:
        return Conflict(Reason.NOT_CANCELABLE, onboarding.id, onboarding)
    try:
        canceled = await services.ledger.save(
            lifecycle.cancel(onboarding, services.clock.now(), by)
        )
    except SupersededError:  # an attempt began, or another cancel was quicker
        return await cancel(services, onboarding_id, by)
    telemetry.concluded(canceled)
    return Submitted(canceled, fresh=False)
