"""The moves of an onboarding, read as the table reads."""

from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import pytest

from connorg import states
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.natural_key import new_onboarding_id
from connorg.outcomes import Blocked, Connected, Later, Outcome, Refused
from connorg.timing import Timing
from tests.unit.partners import request

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
POLICY = Timing()
ERROR = OnboardingError(code="GraphUnavailable", message="Microsoft Graph failed inside.")
ORGANIZATION = ConnectedOrganization(id="35ff48a8-e9d8-4405-8425-0b23694287a4")


def onboarding(status: Status = Status.NOT_STARTED) -> Onboarding:
    return Onboarding(
        id=new_onboarding_id("domain:contoso.com", NOW, Random(1)),
        status=status,
        source="http",
        request=request(),
        created_date_time=NOW,
        last_action_date_time=NOW,
        give_up_date_time=NOW + timedelta(seconds=POLICY.give_up),
    )


def conclude(outcome: Outcome, begun: Onboarding | None = None) -> Onboarding:
    begun = begun or states.begin(onboarding(), NOW, POLICY)
    return states.conclude(begun, outcome, NOW, POLICY, Random(1))


@pytest.mark.parametrize(("start", "end"), list(product(Status, Status)))
def test_an_onboarding_moves_along_the_table_and_nowhere_else(start: Status, end: Status) -> None:
    if end in states.MOVES[start]:
        assert states.move(onboarding(start), end, NOW).status is end
    else:
        with pytest.raises(states.IllegalMoveError):
            states.move(onboarding(start), end, NOW)


def test_nothing_leaves_a_success() -> None:
    assert states.MOVES[Status.SUCCEEDED] == frozenset()


def test_an_attempt_is_counted_and_leased_before_graph_is_called() -> None:
    begun = states.begin(onboarding(), NOW, POLICY)
    assert (begun.status, begun.attempts) == (Status.RUNNING, 1)
    assert begun.lease_until == NOW + timedelta(seconds=POLICY.lease)
    assert begun.doubt_until is None, "the first attempt has nothing to doubt"


def test_the_lease_outlasts_the_attempt() -> None:
    assert POLICY.lease > POLICY.attempt_limit


def test_who_takes_over_from_the_dead_is_in_doubt() -> None:
    crashed = states.begin(onboarding(), NOW, POLICY)
    taken_over = states.begin(crashed, NOW + timedelta(minutes=1), POLICY)
    settled = NOW + timedelta(seconds=POLICY.attempt_limit + POLICY.settle)
    assert taken_over.doubt_until == settled


def test_success_closes_the_onboarding() -> None:
    done = conclude(Connected(Conclusion.CREATED, ORGANIZATION))
    assert (done.status, done.result) == (Status.SUCCEEDED, ORGANIZATION)
    assert done.due is None


def test_a_refusal_fails_with_its_reason() -> None:
    failed = conclude(Refused(ERROR))
    assert failed.status is Status.FAILED
    assert failed.last_error is not None
    assert (failed.last_error.code, failed.last_error.date_time) == (ERROR.code, NOW)


def test_a_retry_after_is_obeyed_to_the_second() -> None:
    waiting = conclude(Later(ERROR, retry_after=42))
    assert waiting.next_attempt_date_time is not None
    delay = waiting.next_attempt_date_time - NOW
    assert timedelta(seconds=42) <= delay <= timedelta(seconds=43)


def test_an_ambiguous_failure_leaves_a_doubt_and_a_clear_one_does_not() -> None:
    doubt = conclude(Later(ERROR, ambiguous=True)).doubt_until
    assert doubt == NOW + timedelta(seconds=POLICY.settle)
    assert conclude(Later(ERROR)).doubt_until is None


def test_a_doubt_outlives_a_later_clear_failure() -> None:
    doubtful = conclude(Later(ERROR, ambiguous=True))
    begun = states.begin(doubtful, NOW, POLICY)
    assert conclude(Later(ERROR, throttled=True), begun).doubt_until == doubtful.doubt_until


def test_a_missing_permission_waits_and_does_not_fail() -> None:
    assert conclude(Blocked(ERROR)).status is Status.WAITING


def test_after_a_day_the_onboarding_fails_and_says_what_the_last_attempt_said() -> None:
    begun = states.begin(onboarding(), NOW, POLICY)
    late = NOW + timedelta(seconds=POLICY.give_up)
    failed = states.conclude(begun, Later(ERROR), late, POLICY, Random(1))
    assert failed.status is Status.FAILED
    assert failed.last_error is not None
    assert failed.last_error.code == "GaveUp"
    assert ERROR.message in failed.last_error.message


def test_an_attempt_that_died_with_its_process_leaves_a_doubt_to_the_replay() -> None:
    buried = states.abandon(states.begin(onboarding(), NOW, POLICY), ERROR, NOW, POLICY)
    assert buried.status is Status.FAILED
    assert buried.doubt_until is not None


def test_who_takes_over_an_identity_source_takes_over_the_doubt() -> None:
    canceled = onboarding(Status.CANCELED).model_copy(update={"doubt_until": NOW})
    assert onboarding().taking_over_from(canceled).doubt_until == NOW


def test_a_replay_starts_anew_but_keeps_the_doubt() -> None:
    begun = states.begin(onboarding(), NOW, POLICY)
    doubtful = begun.model_copy(update={"doubt_until": NOW})
    failed = conclude(Refused(ERROR), doubtful)
    again = states.reopen(failed, "replay-1", NOW + timedelta(days=2), POLICY)
    assert (again.status, again.attempts, again.doubt_until) == (Status.NOT_STARTED, 0, NOW)
    assert again.give_up_date_time == NOW + timedelta(days=2, seconds=POLICY.give_up)


def test_the_backoff_grows_from_five_seconds_to_a_quarter_of_an_hour() -> None:
    random = Random(7)
    for attempts in range(1, 2000):
        delay = POLICY.backoff(attempts, random)
        assert 5 <= delay <= min(15 * 60, 5 * 2.0 ** min(attempts, 20))
    assert max(POLICY.backoff(50, random) for _ in range(100)) > 10 * 60
