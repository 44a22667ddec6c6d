"""The throttle: how calls of this process to Graph are admitted.

    a waiting caller      leave_room ─► call ─► report
    work from the queue   turn ─► until ─► call ─► report
    a single question     ask: call at an open gate ─► report

All instances share the gate; what Graph says of its limits is reported to it. Within the process,
calls for turns are kept apart where they are late, and a call without a turn gets room.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random

from connorg.contract.onboarding import OnboardingError
from connorg.contract.problems import ErrorCode
from connorg.core.domain.errors import graph_timeout
from connorg.core.domain.outcomes import Blocked, Later, Refused
from connorg.core.domain.timing import Timing, seconds_until
from connorg.core.ports import Clock
from connorg.core.throttle.gate import Gate, GateStore
from connorg.core.throttle.pacer import Pacer, PatientPacer, Spacing, Turn
from connorg.core.throttle.shared_gate import SharedGate
from connorg.telemetry import hooks as telemetry

_BEFORE_TURN = 0.1  # seconds in which the lease is written, so that calls are made on the dot
_HOLD = 5.0  # seconds that a message waits for the gate to open, without going back to the queue

THROTTLED = OnboardingError(
    code=ErrorCode.GRAPH_THROTTLED,
    message="Microsoft Graph asked not to be called for a while.",
)


class GraphUnavailableError(Exception):
    """Graph can't be asked now. `retry_after`: seconds after which it is worth another try."""

    def __init__(self, error: OnboardingError, retry_after: float) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after = retry_after


class Throttle:
    """Every method that is async may raise StorageUnavailableError, but for `until`."""

    def __init__(
        self, store: GateStore, clock: Clock, random: Random, timing: Timing, *, calls: int
    ) -> None:
        """`calls`: how many calls to Graph a turn is for, when nothing goes wrong."""
        self._store = SharedGate(store, clock)
        self._clock = clock
        self._random = random
        self._timing = timing
        self._pacer = Pacer(self._store, clock, calls)
        self._patient_pacer = PatientPacer(self._store, clock, calls)
        self._spacing = Spacing(clock)

    async def gate(self) -> Gate:
        """Return the gate as it is now, or was a moment ago."""
        return await self._store.read()

    async def ask[T](
        self, call: Callable[[], Awaitable[T | Refused | Later | Blocked]]
    ) -> T | Refused:
        """Call Graph while a caller waits, at an open gate and within the time of an attempt.

        Raise GraphUnavailableError.
        """
        gate = await self._store.read()
        closed = self._seconds_until(gate.closed_until)
        if closed > 0:
            raise GraphUnavailableError(gate.blocked or THROTTLED, closed)
        called_at = self._clock.now()
        answer: T | Refused | Later | Blocked
        try:
            async with asyncio.timeout(self._timing.attempt_limit):
                answer = await call()
        except TimeoutError:
            answer = Later(graph_timeout())
        await self.report(gate, answer, called_at)
        match answer:
            case Later(error, retry_after=retry_after):
                raise GraphUnavailableError(error, retry_after or self._timing.shortest_backoff)
            case Blocked(error):
                raise GraphUnavailableError(error, self._timing.blocked_retry)
        return answer

    async def report(self, gate: Gate, answer: object, called_at: datetime) -> None:
        """Let all instances know what Graph's answer to a call means for theirs.

        `gate`: as it was read before the call.
        """
        now = self._clock.now()
        match answer:
            case Later(throttled=True, retry_after=retry_after):
                pause = self._timing.shortest_backoff if retry_after is None else retry_after
                until = now + timedelta(seconds=pause)
                telemetry.throttled()
                await self._store.change(lambda gate: gate.slowed(called_at, now).closed(until))
            case Blocked(error):
                until = now + timedelta(seconds=self._timing.blocked_retry)
                telemetry.blocked(error.code)
                await self._store.change(lambda gate: gate.closed(until, error))
            case Later() | Refused():
                pass
            case _ if gate.blocked is not None:
                await self._store.change(Gate.unblocked)

    async def report_lookups_denied(self) -> None:
        """Let all instances look up no tenants for a while: the permission is missing."""
        until = self._clock.now() + timedelta(seconds=self._timing.lookup_retry)
        await self._store.change(lambda gate: gate.without_lookups(until))

    def reopening(self, gate: Gate) -> datetime | None:
        """Return when an attempt that met the closed gate comes back; None: it is open.

        Spread, so that attempts don't come back as one wave.
        """
        if gate.closed_until is None or not gate.is_closed(self._clock.now()):
            return None
        return gate.closed_until + timedelta(seconds=self._timing.gate_jitter(self._random))

    async def turn(
        self, due: datetime | None, gate: Gate | None = None, *, patient: bool
    ) -> tuple[Turn, Gate] | float:
        """Take a turn for work that is due at a time (None: now); return the gate as it is then.

        Where that can't be soon, return the seconds after which the message must come again.

        `gate`: as it was just read; None: nobody has. `patient`: let others pass, as rows of
        batches do.
        """
        pacer = self._patient_pacer if patient else self._pacer
        delay = self._obstacle(due, gate or await pacer.gate())
        if delay == 0:
            turn, gate = await self._wait_for_turn(pacer)
            delay = self._obstacle(due, gate)
            if delay == 0:
                return turn, gate
        return delay

    async def until(self, turn: Turn) -> None:
        """Sleep until a turn, and longer where calls for earlier turns were late."""
        await self._spacing.until(turn)

    def leave_room(self) -> None:
        """Leave room for a call that is made now, without a turn."""
        self._spacing.leave_room()

    async def _wait_for_turn(self, pacer: Pacer) -> tuple[Turn, Gate]:
        """Wait for a turn at an open gate; give up if the gate is closed for long."""
        overslept = False
        while True:
            turn = await pacer.turn()
            # A late call makes those after it late too. Once: a slow process must get on as well.
            overslept = await self._sleep_until_turn(turn) and not overslept
            if overslept:
                continue
            gate = await pacer.gate()
            closed = self._seconds_until(gate.closed_until)
            if closed > _HOLD or (closed == 0 and not gate.voids(turn.taken_at)):
                return turn, gate

    async def _sleep_until_turn(self, turn: Turn) -> bool:
        """Sleep until shortly before a turn; return whether the process woke too late for it."""
        wait = self._seconds_until(turn.at) - _BEFORE_TURN
        if wait <= 0:
            return False
        await asyncio.sleep(wait)
        return self._seconds_until(turn.at) == 0

    def _obstacle(self, due: datetime | None, gate: Gate) -> float:
        """Return for how many seconds the message goes back to the queue; 0: it is due now."""
        closed = self._seconds_until(gate.closed_until)
        if closed <= _HOLD:
            return self._seconds_until(due)
        return max(self._seconds_until(self.reopening(gate)), self._seconds_until(due))

    def _seconds_until(self, moment: datetime | None) -> float:
        return seconds_until(moment, self._clock.now())
