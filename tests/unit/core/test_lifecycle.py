"""The moves of an onboarding, read as the table reads."""

from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import pytest

from connorg.contract.identifiers import new_onboarding_id
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import can_be_replaced_by, taking_over_from
from connorg.core.domain.outcomes import Blocked, Connected, Later, Outcome, Refused, SponsorSettled
from connorg.core.domain.timing import Timing
from tests.cases import each
from tests.unit.partners import request

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TIMING = Timing()
ERROR = OnboardingError(code="GraphUnavailable", message="Microsoft Graph failed inside.")
ORGANIZATION = ConnectedOrganization(id="35ff48a8-e9d8-4405-8425-0b23694287a4")


def onboarding(status: Status = Status.NOT_STARTED) -> Onboarding:
    return Onboarding(
        id=new_onboarding_id("domain:contoso.com", NOW, Random(1)),
        status=status,
        channel="http",
        request=request(),
        created_date_time=NOW,
        last_action_date_time=NOW,
        give_up_date_time=NOW + timedelta(seconds=TIMING.give_up),
    )


def conclude(outcome: Outcome, begun: Onboarding | None = None) -> Onboarding:
    begun = begun or lifecycle.begin(onboarding(), NOW, TIMING)
    return lifecycle.conclude(begun, outcome, NOW, TIMING, Random(1))


def test_an_onboarding_moves_along_the_table_and_nowhere_else() -> None:
    for case in each(product(Status, Status)):
        with case as (start, end):
            if end in lifecycle.MOVES[start]:
                assert lifecycle.move(onboarding(start), end, NOW).status is end
            else:
                with pytest.raises(lifecycle.IllegalMoveError):
                    lifecycle.move(onboarding(start), end, NOW)


def test_nothing_leaves_a_success() -> None:
    assert lifecycle.MOVES[Status.SUCCEEDED] == frozenset()


def test_an_attempt_is_counted_and_leased_before_graph_is_called() -> None:
    begun = lifecycle.begin(onboarding(), NOW, TIMING)
    assert (begun.status, begun.attempts) == (Status.RUNNING, 1)
    assert begun.lease_until == NOW + timedelta(seconds=TIMING.lease)
    assert begun.doubt_until is None, "the first attempt has nothing to doubt"


def test_the_lease_outlasts_the_attempt() -> None:
    assert TIMING.lease > TIMING.attempt_limit


def test_who_takes_over_from_the_dead_is_in_doubt() -> None:
    crashed = lifecycle.begin(onboarding(), NOW, TIMING)
    taken_over = lifecycle.begin(crashed, NOW + timedelta(minutes=1), TIMING)
    settled = NOW + timedelta(seconds=TIMING.attempt_limit + TIMING.settle)
    assert taken_over.doubt_until == settled


def test_success_closes_the_onboarding() -> None:
    done = conclude(Connected(Conclusion.CREATED, ORGANIZATION))
    assert (done.status, done.result) == (Status.SUCCEEDED, ORGANIZATION)
    assert done.due is None


ADA, BOB = (
    Sponsorship(kind=SponsorKind.INTERNAL, sponsor=f"{name}@contoso.com") for name in ("ada", "bob")
)


def test_an_attempt_goes_on_under_its_lease_until_no_sponsor_is_left() -> None:
    begun = lifecycle.begin(onboarding(), NOW, TIMING)
    connected = conclude(Connected(Conclusion.CREATED, ORGANIZATION, (), (ADA, BOB)), begun)
    assert (connected.status, connected.lease_until) == (Status.RUNNING, begun.lease_until)
    assert (connected.attempts, connected.result) == (1, ORGANIZATION)
    one_left = conclude(SponsorSettled(), connected)
    assert (one_left.status, one_left.sponsors_to_add) == (Status.RUNNING, (BOB,))
    done = conclude(SponsorSettled(ERROR), one_left)
    assert (done.status, done.lease_until) == (Status.SUCCEEDED, None)
    assert (done.sponsors_to_add, done.warnings) == ((), (ERROR,))


def test_a_setback_among_the_sponsors_keeps_what_was_reached() -> None:
    connected = conclude(Connected(Conclusion.CREATED, ORGANIZATION, (), (ADA, BOB)))
    waiting = conclude(Later(ERROR), conclude(SponsorSettled(), connected))
    assert (waiting.status, waiting.conclusion) == (Status.WAITING, Conclusion.CREATED)
    again = lifecycle.begin(waiting, NOW, TIMING)
    assert (again.result, again.sponsors_to_add) == (ORGANIZATION, (BOB,))


def test_who_takes_over_a_half_done_onboarding_goes_on_with_its_sponsors() -> None:
    connected = conclude(Connected(Conclusion.CREATED, ORGANIZATION, (), (ADA, BOB)))
    failed = conclude(Refused(ERROR), connected)
    taken_over = taking_over_from(onboarding(), failed)
    assert (taken_over.result, taken_over.sponsors_to_add) == (ORGANIZATION, (ADA, BOB))


@pytest.mark.parametrize(
    ("if_exists", "left"), [(None, ()), ("return", ()), ("update", (ADA, BOB))]
)
def test_who_may_not_update_does_not_go_on_with_the_sponsors_of_an_update(
    if_exists: str | None, left: tuple[Sponsorship, ...]
) -> None:
    connected = conclude(Connected(Conclusion.UPDATED, ORGANIZATION, (), (ADA, BOB)))
    failed = conclude(Refused(ERROR), connected)
    newcomer = onboarding().model_copy(update={"request": request(ifExists=if_exists)})
    assert taking_over_from(newcomer, failed).sponsors_to_add == left


def test_a_deleted_organization_gives_its_identity_source_free() -> None:
    done = conclude(Connected(Conclusion.CREATED, ORGANIZATION))
    assert not can_be_replaced_by(done, onboarding())
    deleted = lifecycle.mark_deleted(done, NOW)
    assert can_be_replaced_by(deleted, onboarding())
    assert (deleted.status, deleted.result) == (Status.SUCCEEDED, ORGANIZATION)


def test_a_replay_of_what_lost_its_organization_begins_at_the_beginning() -> None:
    connected = conclude(Connected(Conclusion.CREATED, ORGANIZATION, (), (ADA, BOB)))
    lost = lifecycle.mark_deleted(conclude(Refused(ERROR), connected), NOW)
    assert (lost.conclusion, lost.result, lost.sponsors_to_add) == (None, None, ())


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
    assert doubt == NOW + timedelta(seconds=TIMING.settle)
    assert conclude(Later(ERROR)).doubt_until is None


def test_a_doubt_outlives_a_later_clear_failure() -> None:
    doubtful = conclude(Later(ERROR, ambiguous=True))
    begun = lifecycle.begin(doubtful, NOW, TIMING)
    assert conclude(Later(ERROR, throttled=True), begun).doubt_until == doubtful.doubt_until


def test_a_missing_permission_waits_and_does_not_fail() -> None:
    assert conclude(Blocked(ERROR)).status is Status.WAITING


def test_after_a_day_the_onboarding_fails_and_says_what_the_last_attempt_said() -> None:
    begun = lifecycle.begin(onboarding(), NOW, TIMING)
    late = NOW + timedelta(seconds=TIMING.give_up)
    failed = lifecycle.conclude(begun, Later(ERROR), late, TIMING, Random(1))
    assert failed.status is Status.FAILED
    assert failed.last_error is not None
    assert failed.last_error.code == "GaveUp"
    assert ERROR.message in failed.last_error.message


def test_an_attempt_that_died_with_its_process_leaves_a_doubt_to_the_replay() -> None:
    buried = lifecycle.abandon(lifecycle.begin(onboarding(), NOW, TIMING), ERROR, NOW, TIMING)
    assert buried.status is Status.FAILED
    assert buried.doubt_until is not None


def test_who_takes_over_an_identity_source_takes_over_the_doubt() -> None:
    canceled = onboarding(Status.CANCELED).model_copy(update={"doubt_until": NOW})
    assert taking_over_from(onboarding(), canceled).doubt_until == NOW


def test_a_replay_starts_anew_but_keeps_the_doubt() -> None:
    begun = lifecycle.begin(onboarding(), NOW, TIMING)
    doubtful = begun.model_copy(update={"doubt_until": NOW})
    failed = conclude(Refused(ERROR), doubtful)
    again = lifecycle.reopen(failed, "replay-1", NOW + timedelta(days=2), TIMING)
    assert (again.status, again.attempts, again.doubt_until) == (Status.NOT_STARTED, 0, NOW)
    assert again.give_up_date_time == NOW + timedelta(days=2, seconds=TIMING.give_up)


def test_the_backoff_grows_from_five_seconds_to_a_quarter_of_an_hour() -> None:
    random = Random(7)
    for attempts in range(1, 2000):
        delay = TIMING.backoff(attempts, random)
        assert 5 <= delay <= min(15 * 60, 5 * 2.0 ** min(attempts, 20))
    assert max(TIMING.backoff(50, random) for _ in range(100)) > 10 * 60
