"""The core: submit, resume, replay, cancel. It knows the ports and no SDK.

Why nothing is lost: a message that brings the onboarding back is on the queue before the ledger
knows the onboarding, and it goes only after the ledger has closed it.

    put the message ─► open the ledger ─► Graph ─► close the ledger ─► delete the message
        │                   │               │            │
        └ a crash anywhere from here on: the message comes back and carries on
"""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from random import Random
from typing import Any

from connorg import states
from connorg.attempt import attempt
from connorg.contract.messages import OnboardingMessage
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.requests import IfExists, OnboardingRequest
from connorg.natural_key import new_onboarding_id
from connorg.outcomes import Blocked, Connected, Later, Outcome
from connorg.policy import Policy
from connorg.ports import (
    Clock,
    Directory,
    Gate,
    HeldBy,
    KeyReservation,
    Ledger,
    Receipt,
    RetryQueue,
    StorageUnavailableError,
    SupersededError,
)

_log = logging.getLogger(__name__)

_POSTPONE = 15.0  # seconds until a message that met a passing obstacle comes back
_ARM_MARGIN = 5.0  # seconds that a message stays hidden beyond the caller's wait


@dataclass(frozen=True)
class Submission:
    request: OnboardingRequest
    source: str
    caller: str = ""
    idempotency_key: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class Submitted:
    """The onboarding that stands for the submission; `fresh` when the submission began it."""

    onboarding: Onboarding
    fresh: bool


class Reason(Enum):
    DIFFERS = "another request for the identity source asked for other attributes"
    EXISTS = "the identity source is connected and ifExists is fail"
    KEY_REUSED = "the Idempotency-Key stands for another body"
    NOT_FAILED = "only a failed onboarding is replayed"
    NOT_CANCELABLE = "it is done, or an attempt is running"


@dataclass(frozen=True)
class Conflict:
    """Nothing was done; `onboarding_id` names the onboarding that stands in the way."""

    reason: Reason
    onboarding_id: str
    onboarding: Onboarding | None = None


class Onboarder:
    def __init__(  # noqa: PLR0913  its four ports, and what makes it predictable in tests
        self,
        directory: Directory,
        ledger: Ledger,
        queue: RetryQueue,
        *,
        clock: Clock,
        random: Random,
        policy: Policy,
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._queue = queue
        self._clock = clock
        self._random = random
        self._policy = policy
        self._background: set[asyncio.Task[Onboarding]] = set()

    # Ways in

    async def submit(self, submission: Submission, wait: float) -> Submitted | Conflict:
        """Onboard one organization and wait up to `wait` seconds for it; 0: only accept it.

        Raises StorageUnavailableError: the request may be sent again.
        """
        onboarding = self._new(submission)
        if submission.idempotency_key is not None:
            bound = await self._bind_key(submission, submission.idempotency_key, onboarding)
            if not isinstance(bound, Onboarding):
                return bound
            onboarding = bound
        gate, receipt = await self._arm(onboarding, submission.traceparent, wait)
        opened = await self._ledger.open(self._opening(onboarding, gate, at_once=wait > 0))
        if isinstance(opened, HeldBy):
            if opened.holder.id != onboarding.id:
                # The holder has a message of its own; ours would find nothing to do.
                await self._disarm(receipt)
            return _joined(opened.holder, onboarding)
        if opened.status is Status.RUNNING:
            opened = await self._finish_within(wait, opened, gate, receipt)
        return Submitted(opened, fresh=True)

    async def receive(
        self,
        request: OnboardingRequest,
        idempotency_key: str | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Onboard what a producer put on the queue. Returns when the message may be deleted."""
        submission = Submission(request, "queue", "queue", idempotency_key, traceparent)
        onboarding = self._new(submission)
        if idempotency_key is not None:
            bound = await self._bind_key(submission, idempotency_key, onboarding)
            if isinstance(bound, Conflict):
                await self._ledger.record(self._refused(onboarding, bound))
                return
            onboarding = bound.onboarding if isinstance(bound, Submitted) else bound
        await self.resume(self._message(onboarding, traceparent))

    async def resume(self, message: OnboardingMessage) -> None:
        """Carry on with an onboarding. Returns when this delivery of the message may be deleted.

        Raises StorageUnavailableError when neither ledger nor queue can be reached.
        """
        try:
            await self._resume(message)
        except StorageUnavailableError:
            # The ledger may be out of reach and the queue not: a new message starts a new count of
            # deliveries, so that an outage of the ledger does not end in the poison queue.
            await self._queue.put(message, _POSTPONE)

    async def bury(self, message: OnboardingMessage) -> None:
        """Close an onboarding whose message was given up by the Functions host.

        Raises SupersededError while an attempt is running: the message must come again.
        """
        onboarding = await self._ledger.read(message.onboarding_id)
        now = self._clock.now()
        error = OnboardingError(
            code="MessagePoisoned",
            message="Its queue message was tried until the Functions host gave it up: the function"
            " failed or its process died each time.",
            action="Read the function app's log for the cause, then replay this onboarding.",
        )
        if onboarding is None:
            await self._ledger.record(states.fail(self._from_message(message), error, now))
        elif not onboarding.status.terminal:
            if onboarding.status is Status.RUNNING and now < (onboarding.due or now):
                raise SupersededError(f"an attempt of {onboarding.id} is running")
            await self._ledger.save(states.fail(onboarding, error, now))

    async def record_unreadable(self, text: str, error: OnboardingError) -> Onboarding:
        """Keep a message that can't be understood as a failed onboarding."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        now = self._clock.now()
        onboarding = Onboarding(
            id=new_onboarding_id(f"message:{digest}", now, self._random),
            status=Status.NOT_STARTED,
            source="queue",
            request=None,
            created_date_time=now,
            last_action_date_time=now,
            give_up_date_time=now,
            message_text=text,
        )
        failed = states.fail(onboarding, error, now)
        await self._ledger.record(failed)
        return failed

    # What callers do with an onboarding

    async def replay(self, onboarding_id: str) -> Submitted | Conflict | None:
        """Start a failed onboarding anew; None: there is no such onboarding."""
        onboarding = await self._ledger.read(onboarding_id)
        if onboarding is None:
            return None
        if onboarding.status is not Status.FAILED or onboarding.request is None:
            return Conflict(Reason.NOT_FAILED, onboarding.id, onboarding)
        # The message carries the replay, so that whoever comes first carries it out: this call, or
        # the queue trigger after a crash right here.
        replay = f"{self._random.getrandbits(64):016x}"
        receipt = await self._queue.put(self._message(onboarding, replay=replay), 0)
        reopened = await self._reopen(onboarding, replay)
        if isinstance(reopened, HeldBy):
            await self._disarm(receipt)
            return Conflict(Reason.EXISTS, reopened.holder.id, reopened.holder)
        return Submitted(reopened, fresh=True)

    async def cancel(self, onboarding_id: str) -> Submitted | Conflict | None:
        """Cancel an onboarding that isn't done; None: there is no such onboarding."""
        onboarding = await self._ledger.read(onboarding_id)
        if onboarding is None:
            return None
        if onboarding.status is Status.CANCELED:
            return Submitted(onboarding, fresh=False)
        if Status.CANCELED not in states.MOVES[onboarding.status]:
            return Conflict(Reason.NOT_CANCELABLE, onboarding.id, onboarding)
        try:
            canceled = await self._ledger.save(states.cancel(onboarding, self._clock.now()))
        except SupersededError:
            return Conflict(Reason.NOT_CANCELABLE, onboarding.id, onboarding)
        # Its message comes back, finds it closed and goes.
        return Submitted(canceled, fresh=False)

    # Opening

    def _new(self, submission: Submission) -> Onboarding:
        now = self._clock.now()
        request = submission.request
        return Onboarding(
            id=new_onboarding_id(request.natural_key, now, self._random),
            status=Status.NOT_STARTED,
            source=submission.source,
            request=request,
            reference=request.reference,
            created_date_time=now,
            last_action_date_time=now,
            give_up_date_time=now + timedelta(seconds=self._policy.give_up),
        )

    async def _bind_key(
        self, submission: Submission, key: str, onboarding: Onboarding
    ) -> Onboarding | Submitted | Conflict:
        """Give the onboarding under the id that the key is bound to."""
        body = submission.request.model_dump_json()
        fingerprint = hashlib.sha256(body.encode()).hexdigest()
        bound = await self._ledger.reserve_key(
            submission.caller, key, KeyReservation(fingerprint, onboarding.id)
        )
        if bound.fingerprint != fingerprint:
            return Conflict(Reason.KEY_REUSED, bound.onboarding_id)
        if bound.onboarding_id == onboarding.id:
            return onboarding
        earlier = await self._ledger.read(bound.onboarding_id)
        if earlier is not None:
            return Submitted(earlier, fresh=False)
        # A crash, or a request right now, is between the key and the ledger.
        return onboarding.model_copy(update={"id": bound.onboarding_id})

    async def _arm(
        self, onboarding: Onboarding, traceparent: str | None, wait: float
    ) -> tuple[Gate, Receipt]:
        message = self._message(onboarding, traceparent)
        delay = wait + _ARM_MARGIN if wait > 0 else 0
        gate, receipt = await asyncio.gather(
            self._ledger.gate(), self._queue.put(message, delay), return_exceptions=True
        )
        if isinstance(receipt, BaseException):
            raise receipt
        if isinstance(gate, BaseException):
            await self._disarm(receipt)
            raise gate
        return gate, receipt

    def _opening(self, onboarding: Onboarding, gate: Gate, *, at_once: bool) -> Onboarding:
        now = self._clock.now()
        if gate.closed_until is not None and now < gate.closed_until:
            next_attempt = gate.closed_until + timedelta(seconds=self._spread())
            return states.move(onboarding, Status.WAITING, now, next_attempt_date_time=next_attempt)
        return states.begin(onboarding, now, self._policy) if at_once else onboarding

    async def _finish_within(
        self, wait: float, opened: Onboarding, gate: Gate, receipt: Receipt
    ) -> Onboarding:
        """Attempt, and answer after `wait` seconds in any case; the attempt goes on."""
        task = self._in_background(self._carry_on(opened, gate, receipt))
        await asyncio.wait({task}, timeout=wait)
        if not task.done():
            return opened
        try:
            return task.result()
        except StorageUnavailableError:
            # It is in the ledger and on the queue: accepted, whatever became of the attempt.
            return opened

    async def _carry_on(self, begun: Onboarding, gate: Gate, receipt: Receipt) -> Onboarding:
        concluded = await self._attempt(begun, gate)
        # When the queue can't be reached, the message comes back as it was armed, and finds the
        # onboarding closed or not yet due.
        with suppress(StorageUnavailableError):
            if concluded.status.terminal:
                await self._queue.delete(receipt)
            else:
                await self._queue.move(receipt, self._message(concluded), self._until(concluded))
        return concluded

    def _in_background(self, work: Coroutine[Any, Any, Onboarding]) -> asyncio.Task[Onboarding]:
        task = asyncio.create_task(work)
        self._background.add(task)  # the event loop itself keeps only a weak reference
        task.add_done_callback(self._end_of_background)
        return task

    def _end_of_background(self, task: asyncio.Task[Onboarding]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.warning("an attempt ended unconcluded, its message will resume it: %s", error)

    async def _disarm(self, receipt: Receipt) -> None:
        with suppress(StorageUnavailableError):
            await self._queue.delete(receipt)

    # Carrying on

    async def _resume(self, message: OnboardingMessage) -> None:
        gate, held = await asyncio.gather(
            self._ledger.gate(), self._ledger.read(message.onboarding_id)
        )
        onboarding = held or await self._open_from(message)
        if onboarding.status is Status.FAILED and message.replay not in {None, onboarding.replay}:
            onboarding = await self._replay_from(message, onboarding)
        if onboarding.status.terminal:
            return
        now = self._clock.now()
        if now >= onboarding.give_up_date_time and onboarding.status is not Status.RUNNING:
            onboarding = states.give_up(onboarding, onboarding.last_error, now)
            with suppress(SupersededError):  # somebody else is at it, with a message of its own
                await self._ledger.save(onboarding)
            return
        if (delay := self._obstacle(onboarding, gate)) > 0:
            await self._queue.put(self._message(onboarding, message.traceparent), delay)
            return
        try:
            begun = await self._ledger.save(states.begin(onboarding, now, self._policy))
        except SupersededError:
            await self._queue.put(message, _POSTPONE)
            return
        concluded = await self._attempt(begun, gate)
        if not concluded.status.terminal:
            again = self._message(concluded, message.traceparent)
            await self._queue.put(again, self._until(concluded))

    async def _open_from(self, message: OnboardingMessage) -> Onboarding:
        """Open the onboarding of a message that came before the ledger knew it."""
        newcomer = self._from_message(message)
        opened = await self._ledger.open(newcomer)
        if not isinstance(opened, HeldBy):
            return opened
        joined = _joined(opened.holder, newcomer)
        if isinstance(joined, Submitted):
            # This message may be the only one that the holder has: a producer's, redelivered.
            return joined.onboarding
        refused = self._refused(newcomer, joined)
        await self._ledger.record(refused)
        return refused

    async def _replay_from(self, message: OnboardingMessage, failed: Onboarding) -> Onboarding:
        reopened = await self._reopen(failed, message.replay or "")
        return failed if isinstance(reopened, HeldBy) else reopened

    async def _reopen(self, failed: Onboarding, replay: str) -> Onboarding | HeldBy:
        reopened = states.reopen(failed, replay, self._clock.now(), self._policy)
        try:
            return await self._ledger.open(reopened)
        except SupersededError:
            # The replay's message was quicker, or another replay: the onboarding is on its way.
            return await self._ledger.read(failed.id) or reopened

    async def _attempt(self, begun: Onboarding, gate: Gate) -> Onboarding:
        """Try, conclude, and tell everybody what Graph asked of everybody."""
        outcome = await attempt(begun, self._directory, self._clock, self._policy.attempt_limit)
        await self._keep_gate(gate, outcome)
        concluded = states.conclude(begun, outcome, self._clock.now(), self._policy, self._random)
        _log.info("onboarding %s: %s", concluded.id, concluded.status)
        try:
            return await self._ledger.save(concluded)
        except SupersededError:
            # The lease ran out and somebody took over: what they write counts.
            return await self._ledger.read(begun.id) or concluded

    async def _keep_gate(self, gate: Gate, outcome: Outcome) -> None:
        match outcome:
            case Later(throttled=True, retry_after=retry_after):
                pause = self._policy.shortest_backoff if retry_after is None else retry_after
                await self._close_gate(pause, None)
            case Blocked(error):
                await self._close_gate(self._policy.blocked_retry, error)
            case Connected() if gate.blocked is not None:
                await self._ledger.clear_blocked()

    async def _close_gate(self, pause: float, blocked: OnboardingError | None) -> None:
        await self._ledger.close_gate(self._clock.now() + timedelta(seconds=pause), blocked)

    def _obstacle(self, onboarding: Onboarding, gate: Gate) -> float:
        """Say for how many seconds the next attempt must not begin."""
        closed = self._seconds_until(gate.closed_until)
        if closed > 0:
            closed += self._spread()
        return max(closed, self._seconds_until(onboarding.due))

    # Small things

    def _until(self, onboarding: Onboarding) -> float:
        return max(0.0, self._seconds_until(onboarding.due))

    def _seconds_until(self, moment: Any) -> float:
        return (moment - self._clock.now()).total_seconds() if moment is not None else 0.0

    def _spread(self) -> float:
        return self._random.uniform(0, self._policy.spread)

    def _message(
        self, onboarding: Onboarding, traceparent: str | None = None, replay: str | None = None
    ) -> OnboardingMessage:
        if onboarding.request is None:
            raise AssertionError("an onboarding without a request has nothing left to do")
        return OnboardingMessage(
            onboarding_id=onboarding.id,
            request=onboarding.request,
            source=onboarding.source,
            attempt=onboarding.attempts,
            replay=replay,
            traceparent=traceparent,
        )

    def _from_message(self, message: OnboardingMessage) -> Onboarding:
        onboarding = self._new(Submission(message.request, message.source))
        return onboarding.model_copy(update={"id": message.onboarding_id})

    def _refused(self, newcomer: Onboarding, conflict: Conflict) -> Onboarding:
        """Give the failed onboarding of a request that nobody waits for."""
        error = OnboardingError(
            code=conflict.reason.name,
            message=f"{conflict.reason.value}, see onboarding {conflict.onboarding_id}",
        )
        return states.fail(newcomer, error, self._clock.now())


def _joined(holder: Onboarding, newcomer: Onboarding) -> Submitted | Conflict:
    """Let a request join the onboarding that holds its identity source, if they agree."""
    if_exists = newcomer.request.if_exists if newcomer.request is not None else None
    if if_exists is IfExists.FAIL and holder.status is Status.SUCCEEDED:
        return Conflict(Reason.EXISTS, holder.id, holder)
    if if_exists is not IfExists.RETURN and holder.differs_from(newcomer):
        return Conflict(Reason.DIFFERS, holder.id, holder)
    return Submitted(holder, fresh=False)
