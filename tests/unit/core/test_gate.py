"""The gate's rules: closing, and the pace at which work from the queue takes its turns."""

from datetime import UTC, datetime, timedelta

import pytest

from connorg.contract.onboarding import OnboardingError
from connorg.core.throttle.gate import FIRST_PACE, Gate, Pace

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DROP = 0.94
MISSING = OnboardingError(code="PermissionMissing", message="A permission is missing.")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_closed_gate_opens_by_itself() -> None:
    gate = Gate().closed(NOW + seconds(3))
    assert gate.is_closed(NOW)
    assert not gate.is_closed(NOW + seconds(3))


def test_a_later_time_that_stands_stands() -> None:
    assert Gate().closed(NOW + seconds(9)).closed(NOW).closed_until == NOW + seconds(9)


def test_what_is_missing_is_remembered_until_it_is_there() -> None:
    gate = Gate().closed(NOW, MISSING).closed(NOW + seconds(1))
    assert gate.blocked == MISSING
    assert gate.unblocked().blocked is None


def test_turns_follow_each_other_at_the_pace() -> None:
    first = Gate().with_turns(3, NOW)
    step = seconds(1 / FIRST_PACE)
    assert first.last_turns(3) == (NOW, NOW + step, NOW + 2 * step)
    assert first.with_turns(1, NOW).last_turns(1) == (NOW + 3 * step,)


def test_no_turn_comes_before_the_gate_opens() -> None:
    gate = Gate().closed(NOW + seconds(7)).with_turns(2, NOW)
    assert gate.last_turns(2)[0] == NOW + seconds(7)


def test_turns_that_nobody_took_are_not_saved_up() -> None:
    later = NOW + seconds(60)
    assert Gate().with_turns(1, NOW).with_turns(1, later).last_turns(1) == (later,)


def demand(gate: Gate, start: datetime, duration: int) -> Gate:
    """Ask each second for more turns than there are."""
    for second in range(duration):
        gate = gate.with_turns(int(gate.pace * 2), start + seconds(second))
    return gate


def test_a_pace_in_demand_grows_and_another_does_not() -> None:
    assert demand(Gate(), NOW, 10).pace > FIRST_PACE * 2
    idle = Gate()
    for second in range(10):
        idle = idle.with_turns(1, NOW + seconds(second))
    assert idle.pace == FIRST_PACE


def test_a_pace_grows_to_the_highest_and_no_further() -> None:
    assert demand(Gate(), NOW, 60).pace == 200


def test_a_pace_grows_once_a_second_however_many_ask() -> None:
    gate = Gate().with_turns(100, NOW)
    for hundredth in range(1, 200):
        gate = gate.with_turns(1, NOW + seconds(hundredth / 100))
    assert gate.pace == FIRST_PACE * 1.4


def test_what_graph_never_answered_leaves_the_pace_as_it_is() -> None:
    gate = at_pace(20)
    for changed in (gate.closed(NOW, MISSING), gate.unblocked(), gate.without_lookups(NOW)):
        assert changed.paces == gate.paces


def at_pace(calls: float) -> Gate:
    return Gate(paces=(Pace(since=NOW, calls=calls),))


def test_a_complaint_drops_the_pace_once_for_all_calls_under_way() -> None:
    gate = at_pace(20).slowed(called_at=NOW + seconds(5), now=NOW + seconds(6))
    assert gate.pace == pytest.approx(20 * DROP)
    assert gate.slowed(called_at=NOW + seconds(5.5), now=NOW + seconds(6.1)).pace == gate.pace
    assert gate.slowed(called_at=NOW + seconds(7), now=NOW + seconds(8)).pace < gate.pace
    closed = gate.closed(NOW + seconds(9))
    assert closed.slowed(called_at=NOW + seconds(7), now=NOW + seconds(8)).pace == gate.pace


def test_a_complaint_within_a_second_tells_how_many_calls_graph_takes() -> None:
    first = Gate().with_turns(100, NOW)
    assert first.slowed(NOW + seconds(0.6), NOW + seconds(0.7)).pace == pytest.approx(
        0.6 * FIRST_PACE * DROP
    )
    reopened = at_pace(20).closed(NOW + seconds(60))
    dropped = reopened.slowed(NOW + seconds(60.8), NOW + seconds(61))
    assert dropped.pace == pytest.approx(16 * DROP)


def test_a_complaint_at_the_first_calls_halves_the_pace_and_no_more() -> None:
    gate = at_pace(20).slowed(NOW + seconds(0.01), NOW + seconds(0.1))
    assert gate.pace == pytest.approx(10 * DROP)


def test_a_complaint_drops_a_growing_pace_to_the_turns_of_the_second_before() -> None:
    growing = Gate(paces=(Pace(since=NOW, calls=50), Pace(since=NOW + seconds(9), calls=70)))
    for refused_at, taken in ((8.9, 50), (9.4, 0.6 * 50 + 0.4 * 70), (10, 70), (11, 70)):
        gate = growing.slowed(NOW + seconds(refused_at), NOW + seconds(12))
        assert gate.pace == pytest.approx(taken * DROP)


def test_after_a_complaint_the_pace_holds_and_then_grows_slowly() -> None:
    slowed = at_pace(20).slowed(NOW + seconds(5), NOW + seconds(5))
    assert demand(slowed, NOW + seconds(5), 25).pace == slowed.pace
    assert demand(slowed, NOW + seconds(5), 80).pace > 20, "a limit that was lifted is found again"


def test_a_complaint_at_a_pace_that_was_held_drops_it_little() -> None:
    held = at_pace(20).slowed(NOW + seconds(5), NOW + seconds(5))
    late = held.slowed(NOW + seconds(20), NOW + seconds(20))
    assert late.pace == pytest.approx(held.pace * 0.98)
    fallen = held.slowed(NOW + seconds(5.6), NOW + seconds(6))
    assert fallen.pace == pytest.approx(held.pace * 0.6 * DROP), "the limit itself has fallen"
    grown = demand(held, NOW + seconds(5), 80)
    refused = grown.slowed(NOW + seconds(200), NOW + seconds(200))
    assert refused.pace == pytest.approx(grown.pace * DROP)


def test_the_pace_that_drops_is_the_one_at_which_the_refused_call_was_made() -> None:
    growing = demand(Gate(), NOW, 10)
    assert growing.pace > 2 * FIRST_PACE, "turns are given out ahead, at a pace not yet tried"
    assert growing.slowed(NOW + seconds(0.5), NOW + seconds(10)).pace < FIRST_PACE


def test_a_complaint_voids_the_turns_given_out_before() -> None:
    gate = Gate().with_turns(100, NOW).slowed(NOW, NOW + seconds(1))
    assert gate.voids(taken_at=NOW)
    assert not gate.voids(taken_at=NOW + seconds(2))
    assert gate.with_turns(1, NOW + seconds(2)).last_turns(1) == (NOW + seconds(2),)


def test_the_pace_never_falls_to_a_standstill() -> None:
    gate = at_pace(1)
    for second in range(50):
        gate = gate.slowed(NOW + seconds(second + 1), NOW + seconds(second + 1))
    assert gate.pace == 1


def test_a_pace_is_forgotten_after_ten_idle_minutes() -> None:
    fast = demand(Gate(), NOW, 20)
    assert fast.next_turn is not None
    assert fast.with_turns(1, fast.next_turn + timedelta(minutes=11)).pace == FIRST_PACE
