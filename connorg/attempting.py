"""From the lease to the conclusion: one attempt, written down, and told to all instances."""

import logging
from datetime import datetime, timedelta

from connorg import states
from connorg.attempt import attempt
from connorg.contract.onboarding import Onboarding
from connorg.core import Core
from connorg.gate import Gate
from connorg.outcomes import Blocked, Connected, Later, Outcome
from connorg.ports import SupersededError

_log = logging.getLogger(__name__)


async def attempt_and_conclude(core: Core, begun: Onboarding, gate: Gate) -> Onboarding:
    """Try at Graph for an onboarding that holds the lease; give it as the ledger then has it.

    Raises StorageUnavailableError: the attempt stays unconcluded; the next one is in doubt of it.
    """
    # What the writing of the lease took is missing from the attempt, so that the lease outlasts it.
    limit = core.seconds_until(begun.lease_until) - core.policy.lease_margin
    called_at = core.clock.now()
    outcome = await attempt(begun, core.directory, core.clock, max(0.0, limit))
    await _keep_gate(core, gate, outcome, called_at)
    concluded = states.conclude(begun, outcome, core.clock.now(), core.policy, core.random)
    _log.info(
        "onboarding %s is %s after attempt %d%s",
        concluded.id,
        concluded.status,
        concluded.attempts,
        f": {concluded.last_error.code}" if concluded.last_error else "",
    )
    try:
        return await core.ledger.save(concluded)
    except SupersededError:
        # The lease ran out and somebody took over: what they write counts.
        return await core.ledger.read(begun.id) or concluded


async def _keep_gate(core: Core, gate: Gate, outcome: Outcome, called_at: datetime) -> None:
    now = core.clock.now()
    match outcome:
        case Later(throttled=True, retry_after=retry_after):
            pause = core.policy.shortest_backoff if retry_after is None else retry_after
            until = now + timedelta(seconds=pause)
            await core.ledger.change_gate(lambda gate: gate.slowed(called_at, now).closed(until))
        case Blocked(error):
            until = now + timedelta(seconds=core.policy.blocked_retry)
            await core.ledger.change_gate(lambda gate: gate.closed(until, error))
        case Connected() if gate.blocked is not None:
            await core.ledger.change_gate(Gate.unblocked)
