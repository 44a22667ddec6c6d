"""Resume: continue an onboarding that a queue message brings back.

The Functions host deletes a message when its function returns. So each step either leaves the
onboarding closed, or puts a new message before it returns.
"""

import asyncio
from contextlib import suppress
from datetime import datetime

from connorg.contract.identifiers import made_at
from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.problems import ErrorCode
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict, join
from connorg.core.domain.timing import seconds_until
from connorg.core.onboarding.attempt import attempt_and_conclude
from connorg.core.onboarding.confirm import UnconfirmedError, is_gone_at_turn, is_in_question
from connorg.core.onboarding.records import follow_joined, message_of, onboarding_of, put_again
from connorg.core.onboarding.reject import record_failed
from connorg.core.onboarding.replay import reopen
from connorg.core.ports import ClaimHeld, SupersededError
from connorg.core.redelivery import POSTPONE, put_again_in_outage
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate
from connorg.core.throttle.pacer import Turn
from connorg.telemetry import hooks as telemetry

POISONED = OnboardingError(
    code=ErrorCode.MESSAGE_POISONED,
    message="Its queue message was tried until the Functions host gave it up: the function failed"
    " or its process died each time.",
    action="Read the function app's log for the cause, then replay this onboarding.",
)


async def resume(services: Services, message: OnboardingMessage, *, armed: bool = True) -> None:
    """Carry on with an onboarding. `armed`: a submit put the message, and may yet open it.

    Raise StorageUnavailableError when neither ledger nor queue can be reached.
    """
    with telemetry.resume(message):
        async with put_again_in_outage(services.queue, message):
            onboarding, delay = await advance(services, message, armed=armed)
            if delay is not None:
                await put_again(services, message_of(onboarding), onboarding, delay)


async def bury(services: Services, message: OnboardingMessage, *, armed: bool = True) -> Onboarding:
    """Close the onboarding of a message that the Functions host gave up, and return it.

    Raise SupersededError while an attempt is running, or while it is not known whether the
    organization of the one that it joins still exists: the message must come again.
    """
    with telemetry.bury(message):
        return await _bury(services, message, armed=armed)


async def _bury(services: Services, message: OnboardingMessage, *, armed: bool) -> Onboarding:
    held = await services.ledger.read(message.onboarding_id)
    onboarding = await onboarding_behind(services, message, held, armed=armed)
    telemetry.set_onboarding(onboarding.id)
    if _asks_for_replay(message, onboarding):
        # Else the call that put the message could still reopen it, and nothing would continue it.
        onboarding = await _replay(services, onboarding, message)
    if onboarding.status.terminal:
        return onboarding
    if onboarding.status is Status.RUNNING and _seconds_until(services, onboarding.due) > 0:
        raise SupersededError(f"an attempt of {onboarding.id} is running")
    abandoned = lifecycle.abandon(onboarding, POISONED, services.clock.now(), services.timing)
    buried = await services.ledger.save(abandoned)
    telemetry.concluded(buried)
    return buried


async def advance(
    services: Services, message: OnboardingMessage, *, armed: bool, patient: bool = False
) -> tuple[Onboarding, float | None]:
    """Take an onboarding as far as it gets now. `patient`: let others take their turns first.

    Return it with the seconds after which its message must come again; None: it is closed.
    Raise StorageUnavailableError.
    """
    gate, held = await asyncio.gather(
        services.throttle.gate(), services.ledger.read(message.onboarding_id)
    )
    try:
        onboarding = await onboarding_behind(services, message, held, armed=armed, patient=patient)
    except UnconfirmedError as error:
        return onboarding_of(services, message), error.delay
    telemetry.set_onboarding(onboarding.id)
    if _asks_for_replay(message, onboarding):
        onboarding = await _replay(services, onboarding, message)
    if onboarding.status.terminal:
        return onboarding, None
    if _is_exhausted(services, onboarding):
        return await _give_up(services, onboarding)
    taken = await services.throttle.turn(onboarding.due, gate, patient=patient)
    if isinstance(taken, float):
        return onboarding, taken
    return await _try_again(services, onboarding, *taken)


async def _give_up(services: Services, onboarding: Onboarding) -> tuple[Onboarding, float | None]:
    given_up = lifecycle.give_up(onboarding, onboarding.last_error, services.clock.now())
    try:
        given_up = await services.ledger.save(given_up)
    except SupersededError:  # somebody is at it
        return onboarding, POSTPONE
    telemetry.concluded(given_up)
    return given_up, None


def _asks_for_replay(message: OnboardingMessage, onboarding: Onboarding) -> bool:
    """Whether the message is for a replay that has not begun."""
    return onboarding.status is Status.FAILED and (message.replay or "") > (onboarding.replay or "")


async def _replay(services: Services, failed: Onboarding, message: OnboardingMessage) -> Onboarding:
    name = message.replay or ""
    reopened = await reopen(services, failed, name, message.by)
    if not isinstance(reopened, ClaimHeld):
        return reopened
    # Needless; and written down, so that the call that asked for it does not reopen it later, when
    # this message is gone.
    with suppress(SupersededError):
        return await services.ledger.save(failed.model_copy(update={"replay": name}))
    return failed


async def _try_again(
    services: Services, onboarding: Onboarding, turn: Turn, gate: Gate
) -> tuple[Onboarding, float | None]:
    try:
        begun = await services.ledger.save(
            lifecycle.begin(onboarding, services.clock.now(), services.timing)
        )
    except SupersededError:
        return onboarding, POSTPONE
    return await try_at_turn(services, begun, turn, gate)


async def try_at_turn(
    services: Services, begun: Onboarding, turn: Turn, gate: Gate
) -> tuple[Onboarding, float | None]:
    """Make an attempt for an onboarding that holds the lease. Gives what `advance` gives."""
    await services.throttle.until(turn)
    concluded = await attempt_and_conclude(services, begun, gate)
    return concluded, None if concluded.status.terminal else _seconds_until(services, concluded.due)


async def onboarding_behind(
    services: Services,
    message: OnboardingMessage,
    held: Onboarding | None,
    *,
    armed: bool,
    patient: bool = False,
) -> Onboarding:
    """Return the onboarding that the message is for: its own, or the one that its own joined.

    Also for that one the message may be the only one. Raise UnconfirmedError.
    """
    if held is not None:
        return await follow_joined(services.ledger, held)
    newcomer = onboarding_of(services, message)
    return await _open(services, newcomer, armed=armed, patient=patient)


async def _open(
    services: Services, newcomer: Onboarding, *, armed: bool, patient: bool
) -> Onboarding:
    """Open the onboarding of a message that the ledger does not know; or join another one.

    The message may be the only one that the other has (a producer's message, delivered again), so
    it continues it. A newcomer that is armed gets a row in any case: a submit that is slow to
    open it then learns that its message is gone, and leaves no onboarding without one.
    """
    with telemetry.opening():
        opened = await services.ledger.open(newcomer)
        if isinstance(opened, ClaimHeld) and await _has_nothing_left(
            services, opened.holder, newcomer, armed=armed, patient=patient
        ):
            # What Graph does not find may yet be there: it is looked up before the create.
            newcomer = lifecycle.doubt(newcomer, services.clock.now())
            opened = await services.ledger.open(newcomer)
    if not isinstance(opened, ClaimHeld):
        telemetry.accepted()
        return opened
    joined = join(opened.holder, newcomer)
    if isinstance(joined, Conflict):
        return await record_failed(services, newcomer, joined.error)
    holder = joined.onboarding
    if not armed or holder.id == newcomer.id:
        return holder
    recorded = await services.ledger.record(lifecycle.join(newcomer, holder, services.clock.now()))
    return holder if recorded.status.terminal else recorded


async def _has_nothing_left(
    services: Services, holder: Onboarding, newcomer: Onboarding, *, armed: bool, patient: bool
) -> bool:
    """Whether the holder's organization is gone. Raise UnconfirmedError until that is known.

    False once the newcomer's time is over.
    """
    now, asked = services.clock.now(), made_at(newcomer.id)
    age = (now - asked).total_seconds()
    if not is_in_question(holder, asked, now, services.timing) or age > services.timing.give_up:
        return False
    if armed and age < services.timing.confirming:  # its submit may be asking Graph
        raise UnconfirmedError(holder, POSTPONE)
    return await is_gone_at_turn(services, holder, patient=patient)


def _is_exhausted(services: Services, onboarding: Onboarding) -> bool:
    if onboarding.status is Status.RUNNING:
        return False  # whether it worked must be seen first
    return _seconds_until(services, onboarding.give_up_date_time) <= 0


def _seconds_until(services: Services, moment: datetime | None) -> float:
    return seconds_until(moment, services.clock.now())
