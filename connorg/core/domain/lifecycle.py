"""The moves of an onboarding, as pure functions: what is written, never when or where.

NotStarted ──► Running ──► Succeeded
   │            │   ▲ └──► Failed ──► NotStarted (replay)
   │            ▼   │
   └─────────► Waiting ──► Canceled, Failed
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from connorg.contract.history import Step
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.contract.problems import ErrorCode
from connorg.contract.sponsors import Sponsorship
from connorg.core.domain.history import remember, step
from connorg.core.domain.outcomes import Blocked, Connected, Later, Outcome, Refused, SponsorSettled
from connorg.core.domain.timing import Timing

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.NOT_STARTED: frozenset({Status.RUNNING, Status.WAITING, Status.FAILED, Status.CANCELED}),
    # Running to Running: a step of an attempt was taken and the next one begins; or the process
    # died, and another one took over when the lease was up.
    Status.RUNNING: frozenset({Status.RUNNING, Status.WAITING, Status.SUCCEEDED, Status.FAILED}),
    Status.WAITING: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELED}),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset({Status.NOT_STARTED}),
    Status.CANCELED: frozenset(),
}


class IllegalMoveError(Exception):
    """A move that the table does not have: a mistake in connorg, never of a caller."""


def move(onboarding: Onboarding, status: Status, now: datetime, **changes: Any) -> Onboarding:
    if status not in MOVES[onboarding.status]:
        raise IllegalMoveError(f"{onboarding.status} does not lead to {status}")
    changes |= {"status": status, "last_action_date_time": now}
    return onboarding.model_copy(update={"lease_until": None, **changes})


def begin(onboarding: Onboarding, now: datetime, timing: Timing) -> Onboarding:
    """Take the lease. Written before Graph is called, so that a crash leaves its trace."""
    number = onboarding.attempts + 1
    unconcluded = "; the one before did not end" if onboarding.status is Status.RUNNING else ""
    begun = move(
        onboarding,
        Status.RUNNING,
        now,
        attempts=number,
        lease_until=now + timedelta(seconds=timing.lease),
        doubt_until=_doubt(onboarding, timing),
        next_attempt_date_time=None,
    )
    return remember(begun, step(now, Step.ATTEMPT, f"attempt {number}{unconcluded}"))


def doubt(onboarding: Onboarding, now: datetime) -> Onboarding:
    """Let a new onboarding look Graph up before it creates anything."""
    return onboarding.model_copy(update={"doubt_until": now})


def hold(onboarding: Onboarding, until: datetime, now: datetime) -> Onboarding:
    """Let it wait for the gate to open, before its first attempt."""
    waiting = move(onboarding, Status.WAITING, now, next_attempt_date_time=until)
    return remember(waiting, step(now, Step.WAITING, f"until {_moment(until)}: the gate is closed"))


def _doubt(onboarding: Onboarding, timing: Timing) -> datetime | None:
    if onboarding.status is not Status.RUNNING:
        return onboarding.doubt_until
    # The attempt before this one never concluded: its POST may have been sent until its limit.
    limit = onboarding.last_action_date_time + timedelta(seconds=timing.attempt_limit)
    return limit + timedelta(seconds=timing.settle)


def conclude(
    onboarding: Onboarding, outcome: Outcome, now: datetime, timing: Timing, random: Random
) -> Onboarding:
    """Write down the result of an attempt."""
    match outcome:
        case Connected(conclusion, organization, differences, sponsors_to_add, warnings):
            return _go_on(
                remember(
                    onboarding,
                    step(now, Step(conclusion.value), f"organization {organization.id}"),
                ),
                now,
                sponsors_to_add,
                conclusion=conclusion,
                result=organization,
                differences=differences,
                warnings=warnings,
                doubt_until=None,
            )
        case SponsorSettled(warning):
            left = onboarding.sponsors_to_add[1:]
            warnings = onboarding.warnings + ((warning,) if warning else ())
            settled = step(now, Step.SPONSOR, "not added" if warning else "added", warning)
            return _go_on(remember(onboarding, settled), now, left, warnings=warnings)
        case Refused(error):
            return fail(onboarding, error, now)
        case Later() | Blocked():
            return _wait(onboarding, outcome, now, timing, random)


def _go_on(
    onboarding: Onboarding,
    now: datetime,
    sponsors_to_add: tuple[Sponsorship, ...],
    **changes: Any,
) -> Onboarding:
    """Keep the lease while sponsors are left, so that a crash loses no step that was taken."""
    changes |= {"sponsors_to_add": sponsors_to_add, "last_error": None}
    if sponsors_to_add:
        return move(onboarding, Status.RUNNING, now, lease_until=onboarding.lease_until, **changes)
    succeeded = move(onboarding, Status.SUCCEEDED, now, **changes)
    return remember(succeeded, step(now, Step.SUCCEEDED, "done"))


def _wait(
    onboarding: Onboarding,
    setback: Later | Blocked,
    now: datetime,
    timing: Timing,
    random: Random,
) -> Onboarding:
    delay = _delay(onboarding, setback, timing, random)
    next_attempt = now + timedelta(seconds=delay)
    if next_attempt > onboarding.give_up_date_time:
        return give_up(onboarding, setback.error, now)
    doubt_until = onboarding.doubt_until
    outcome = f"until {_moment(next_attempt)}"
    if isinstance(setback, Later) and setback.ambiguous:
        doubt_until = now + timedelta(seconds=timing.settle)
        outcome += "; Graph may have carried the call out"
    waiting = move(
        onboarding,
        Status.WAITING,
        now,
        last_error=setback.error.model_copy(update={"date_time": now}),
        next_attempt_date_time=next_attempt,
        doubt_until=doubt_until,
    )
    return remember(waiting, step(now, Step.WAITING, outcome, setback.error))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _delay(
    onboarding: Onboarding, setback: Later | Blocked, timing: Timing, random: Random
) -> float:
    if isinstance(setback, Blocked):
        return timing.blocked_retry + random.uniform(0, timing.blocked_retry)
    backoff = timing.backoff(onboarding.attempts, random)
    if setback.retry_after is None:
        # A look-up is cheap: an attempt that may have created it need not wait long.
        look_up = timing.settle + random.uniform(0, timing.shortest_backoff)
        return min(backoff, look_up) if setback.ambiguous else backoff
    asked = setback.retry_after + random.uniform(0, 1)
    last = onboarding.last_error
    is_repeated = setback.throttled and last is not None and last.code == setback.error.code
    return max(asked, backoff) if is_repeated else asked


def fail(onboarding: Onboarding, error: OnboardingError, now: datetime) -> Onboarding:
    failed = move(
        onboarding,
        Status.FAILED,
        now,
        last_error=error.model_copy(update={"date_time": now}),
        next_attempt_date_time=None,
    )
    return remember(failed, step(now, Step.FAILED, "not connected", error))


def abandon(
    onboarding: Onboarding, error: OnboardingError, now: datetime, timing: Timing
) -> Onboarding:
    """Fail an onboarding whose attempt may have died with its process: a replay is in doubt."""
    doubt_until = _doubt(onboarding, timing)
    return fail(onboarding, error, now).model_copy(update={"doubt_until": doubt_until})


def give_up(onboarding: Onboarding, error: OnboardingError | None, now: datetime) -> Onboarding:
    last = f" The last attempt said: {error.message}" if error else ""
    exhausted = OnboardingError(
        code=ErrorCode.GAVE_UP,
        message=f"It could not be done in the time given to an onboarding.{last}",
        action="Remove the cause, then replay this onboarding.",
        graph_code=error.graph_code if error else None,
        graph_request_id=error.graph_request_id if error else None,
        graph_status=error.graph_status if error else None,
    )
    return fail(onboarding, exhausted, now)


def cancel(onboarding: Onboarding, now: datetime, by: str | None = None) -> Onboarding:
    """Cancel it. `by`: who requested that."""
    canceled = move(onboarding, Status.CANCELED, now, next_attempt_date_time=None)
    return remember(canceled, step(now, Step.CANCELED, "on request", by=by))


def join(onboarding: Onboarding, holder: Onboarding, now: datetime) -> Onboarding:
    """Close an onboarding that was never begun: another one covers it."""
    standing = OnboardingError(
        code=ErrorCode.JOINED,
        message=f"Onboarding {holder.id} of the same identity source covers it.",
    )
    joined = move(onboarding, Status.CANCELED, now, joined=holder.id, last_error=standing)
    return remember(joined, step(now, Step.JOINED, f"onboarding {holder.id}"))


def forget(closed: Onboarding) -> Onboarding:
    """Leave of an onboarding that it ended, and nothing of the partner.

    So a message of it that is still on a queue finds it closed and does not begin it again; and
    a later request, under this name of the partner or another, looks Graph up before it creates.
    """
    return Onboarding(
        id=closed.id,
        status=Status.CANCELED,
        channel="",
        joined=closed.id,
        created_date_time=closed.created_date_time,
        last_action_date_time=closed.last_action_date_time,
        give_up_date_time=closed.give_up_date_time,
        doubt_until=closed.doubt_until or closed.last_action_date_time,
        etag=closed.etag,
    )


def mark_deleted(onboarding: Onboarding, now: datetime, by: str | None = None) -> Onboarding:
    """Note that the organization of an onboarding is gone. It stays as it ended.

    `by`: who requested its deletion.
    """
    onboarding = remember(onboarding, step(now, Step.DELETED, "the organization is gone", by=by))
    if onboarding.status is Status.SUCCEEDED:
        return onboarding.model_copy(update={"deleted_date_time": now})
    # It failed or was canceled with sponsors left: a replay must not continue with only those.
    nothing = {"conclusion": None, "result": None, "sponsors_to_add": ()}
    return onboarding.model_copy(update=nothing)


def unmark_deleted(onboarding: Onboarding, before: Onboarding, now: datetime) -> Onboarding:
    """Note that the organization exists after all. `before`: the onboarding without the mark."""
    kept = ("deleted_date_time", "conclusion", "result", "sponsors_to_add")
    unmarked = onboarding.model_copy(update={name: getattr(before, name) for name in kept})
    return remember(unmarked, step(now, Step.DELETED, "not deleted: the organization still exists"))


def reopen(
    onboarding: Onboarding, replay: str, now: datetime, timing: Timing, by: str | None = None
) -> Onboarding:
    """Retry a failed onboarding. Doubt about an earlier POST stays. `by`: who requested it."""
    reopened = move(
        onboarding,
        Status.NOT_STARTED,
        now,
        attempts=0,
        replay=replay,
        give_up_date_time=now + timedelta(seconds=timing.give_up),
    )
    return remember(reopened, step(now, Step.REPLAYED, "on request", by=by))
