"""From the lease to the conclusion: one attempt, each step of it written down."""

import logging

from connorg.contract.onboarding import Onboarding, Status
from connorg.core.domain import lifecycle
from connorg.core.domain.history import remember
from connorg.core.domain.timing import seconds_until
from connorg.core.onboarding.standing import audit_changes
from connorg.core.onboarding.steps import attempt
from connorg.core.ports import SupersededError
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate
from connorg.telemetry import hooks as telemetry

_log = logging.getLogger(__name__)


async def attempt_and_conclude(services: Services, begun: Onboarding, gate: Gate) -> Onboarding:
    """Try at Graph for an onboarding that holds the lease; return it as the ledger then has it.

    Raise StorageUnavailableError: the attempt stays unconcluded; the next one is in doubt of it.
    """
    with telemetry.attempt(begun) as tell:
        concluded = await _attempt_and_conclude(services, begun, gate)
        tell(concluded)
    return concluded


async def _attempt_and_conclude(services: Services, begun: Onboarding, gate: Gate) -> Onboarding:
    current = begun
    while True:
        concluded = await _take_step(services, current, gate)
        try:
            with telemetry.concluding():
                before, current = current, await services.ledger.save(concluded)
        except SupersededError:
            # The lease ran out and somebody took over: what they write counts.
            return await services.ledger.read(begun.id) or concluded
        telemetry.concluded(current)
        audit_changes(before, current)
        if current.status is not Status.RUNNING:
            return current


async def _take_step(services: Services, current: Onboarding, gate: Gate) -> Onboarding:
    # What was used of the lease so far is missing from the step, so that the lease outlasts it.
    limit = seconds_until(current.lease_until, services.clock.now()) - services.timing.lease_margin
    called_at = services.clock.now()
    outcome, looked_up = await attempt(services, current, gate, max(0.0, limit))
    await services.throttle.report(gate, outcome, called_at)
    current = remember(current, *looked_up)
    concluded = lifecycle.conclude(
        current, outcome, services.clock.now(), services.timing, services.random
    )
    _log.info(
        "onboarding %s is %s in attempt %d%s",
        concluded.id,
        concluded.status,
        concluded.attempts,
        f": {concluded.last_error.code}" if concluded.last_error else "",
    )
    return concluded
