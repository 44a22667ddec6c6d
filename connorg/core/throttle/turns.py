"""Turns of onboardings that the queue brings back."""

import asyncio

from connorg.contract.onboarding import Onboarding
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate
from connorg.core.throttle.pacer import Pacer, Turn

_BEFORE_TURN = 0.1  # seconds in which the lease is written, so that calls are made on the dot

_HOLD = 5.0  # seconds that a message waits in hand for the gate to open, without going back


async def take_turn(
    services: Services, pacer: Pacer, onboarding: Onboarding, gate: Gate
) -> tuple[Turn, Gate] | float:
    """Take a turn for an onboarding, with the gate as it is then.

    Where that can't be soon, give the seconds after which its message must come again.
    """
    delay = _obstacle(services, onboarding, gate)
    if delay == 0:
        turn, gate = await _wait_for_turn(services, pacer)
        delay = _obstacle(services, onboarding, gate)
        if delay == 0:
            return turn, gate
    return delay


async def _wait_for_turn(services: Services, pacer: Pacer) -> tuple[Turn, Gate]:
    """Wait in hand for a turn at an open gate; give up on a gate that is closed for long."""
    overslept = False
    while True:
        turn = await pacer.turn()
        # A late call makes those after it late too. Once: a slow process must get on as well.
        overslept = await _sleep_until_turn(services, turn) and not overslept
        if overslept:
            continue
        gate = await pacer.gate()
        closed = services.seconds_until(gate.closed_until)
        if closed > _HOLD or (closed == 0 and not gate.voids(turn.taken_at)):
            return turn, gate


async def _sleep_until_turn(services: Services, turn: Turn) -> bool:
    """Sleep until shortly before a turn; tell whether the process woke too late for it."""
    wait = services.seconds_until(turn.at) - _BEFORE_TURN
    if wait <= 0:
        return False
    await asyncio.sleep(wait)
    return services.seconds_until(turn.at) == 0


def _obstacle(services: Services, onboarding: Onboarding, gate: Gate) -> float:
    """Say for how many seconds the message goes back to the queue; 0: it is dealt with now."""
    closed = services.seconds_until(gate.closed_until)
    if closed <= _HOLD:
        return services.seconds_until(onboarding.due)
    # Spread, so that those who wait don't come back as one wave.
    return max(closed + services.jitter(), services.seconds_until(onboarding.due))
