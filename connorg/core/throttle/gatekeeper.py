"""Asking Graph something while a caller waits, outside of any onboarding.

The gate is kept as everywhere: nobody calls while it is closed, and what Graph says of its limits
is told to all instances.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from connorg.contract.onboarding import OnboardingError
from connorg.contract.problems import ErrorCode
from connorg.core.domain.errors import graph_timeout
from connorg.core.domain.outcomes import Blocked, Later, Refused
from connorg.core.services import Services
from connorg.core.throttle.gate import Gate
from connorg.telemetry import hooks as telemetry

_THROTTLED = OnboardingError(
    code=ErrorCode.GRAPH_THROTTLED,
    message="Microsoft Graph asked not to be called for a while.",
)


class GraphUnavailableError(Exception):
    """Graph can't be asked now. `retry_after`: seconds after which it is worth another try."""

    def __init__(self, error: OnboardingError, retry_after: float) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after = retry_after


async def ask[T](
    services: Services, call: Callable[[], Awaitable[T | Refused | Later | Blocked]]
) -> T | Refused:
    """Call Graph, at an open gate and within the time of an attempt.

    Raises GraphUnavailableError, StorageUnavailableError.
    """
    gate = await services.ledger.gate()
    closed = services.seconds_until(gate.closed_until)
    if closed > 0:
        raise GraphUnavailableError(gate.blocked or _THROTTLED, closed)
    called_at = services.clock.now()
    answer: T | Refused | Later | Blocked
    try:
        async with asyncio.timeout(services.timing.attempt_limit):
            answer = await call()
    except TimeoutError:
        answer = Later(graph_timeout())
    await report_to_gate(services, gate, answer, called_at)
    match answer:
        case Later(error, retry_after=retry_after):
            raise GraphUnavailableError(error, retry_after or services.timing.shortest_backoff)
        case Blocked(error):
            raise GraphUnavailableError(error, services.timing.blocked_retry)
    return answer


async def report_to_gate(
    services: Services, gate: Gate, outcome: object, called_at: datetime
) -> None:
    """Tell all instances what Graph's answer to a call means for theirs."""
    now = services.clock.now()
    match outcome:
        case Later(throttled=True, retry_after=retry_after):
            pause = services.timing.shortest_backoff if retry_after is None else retry_after
            until = now + timedelta(seconds=pause)
            telemetry.throttled()
            await services.ledger.change_gate(
                lambda gate: gate.slowed(called_at, now).closed(until)
            )
        case Blocked(error):
            until = now + timedelta(seconds=services.timing.blocked_retry)
            telemetry.blocked(error.code)
            await services.ledger.change_gate(lambda gate: gate.closed(until, error))
        case Later() | Refused():
            pass
        case _ if gate.blocked is not None:
            await services.ledger.change_gate(Gate.unblocked)
