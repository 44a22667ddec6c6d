"""Breaks of how Graph is called: when, how often, and by how many at once."""

from tests.mutations.mutation import Mutation

_GATE = "connorg/core/throttle/gate.py"
_PACER = "connorg/core/throttle/pacer.py"
_THROTTLE = "connorg/core/throttle/throttle.py"
_GATE_TEST = "tests/unit/core/test_gate.py"
_THROTTLE_TEST = "tests/unit/core/test_throttle.py"
_TURNS_TEST = "tests/simulation/test_turns.py"

MUTATIONS = (
    Mutation(
        "a complaint closes the gate and keeps the pace",
        _THROTTLE,
        old="gate.slowed(called_at, now).closed(until)",
        new="gate.closed(until)",
        killed_by=f"{_THROTTLE_TEST}::test_a_complaint_closes_the_gate_and_drops_the_pace",
    ),
    Mutation(
        "the seconds that Graph asks for are not waited",
        _THROTTLE,
        old="pause = self._timing.shortest_backoff if retry_after is None else retry_after",
        new="pause = self._timing.shortest_backoff",
        killed_by=f"{_THROTTLE_TEST}::test_a_complaint_closes_the_gate_and_drops_the_pace",
    ),
    Mutation(
        "a missing right does not close the gate",
        _THROTTLE,
        old="await self._store.change(lambda gate: gate.closed(until, error))",
        new="await self._store.change(lambda gate: gate.closed(now, error))",
        killed_by=f"{_THROTTLE_TEST}::test_a_missing_right_closes_the_gate_until_somebody_succeeds",
    ),
    Mutation(
        "a complaint about a single question is told to nobody",
        _THROTTLE,
        old="        await self.report(gate, answer, called_at)\n",
        new="",
        killed_by=_THROTTLE_TEST,
    ),
    Mutation(
        "those who met a closed gate come back at once when it opens",
        _THROTTLE,
        old="return gate.closed_until + timedelta(seconds=self._timing.gate_jitter(self._random))",
        new="return gate.closed_until",
        killed_by=_THROTTLE_TEST,
    ),
    Mutation(
        "messages that met a closed gate come back at once when it opens",
        _THROTTLE,
        old="return max(self._seconds_until(self.reopening(gate)), self._seconds_until(due))",
        new="return max(closed, self._seconds_until(due))",
        killed_by=_THROTTLE_TEST,
    ),
    Mutation(
        "whoever waits for a turn does not see that the gate was closed",
        _THROTTLE,
        old="closed > _HOLD or (closed == 0 and not gate.voids(turn.taken_at))",
        new="not gate.voids(turn.taken_at)",
        killed_by=f"{_TURNS_TEST}"
        "::test_whoever_waits_takes_another_turn_where_graph_complains_meanwhile",
    ),
    Mutation(
        "turns that a complaint has voided are used",
        _THROTTLE,
        old="(closed == 0 and not gate.voids(turn.taken_at))",
        new="closed == 0",
        killed_by=f"{_TURNS_TEST}"
        "::test_whoever_waits_takes_another_turn_where_graph_complains_meanwhile",
    ),
    Mutation(
        "the pace has no highest",
        _GATE,
        old="calls = min(_HIGHEST_PACE, self.pace * self._growth(now))",
        new="calls = self.pace * self._growth(now)",
        killed_by=f"{_GATE_TEST}::test_a_pace_grows_to_the_highest_and_no_further",
    ),
    Mutation(
        "the pace grows right after a complaint",
        _GATE,
        old="return 1.0 if now - self.slowed_at < _FRESH else _CALM_GROWTH",
        new="return _CALM_GROWTH",
        killed_by=f"{_GATE_TEST}::test_after_a_complaint_the_pace_holds_and_then_grows_slowly",
    ),
    Mutation(
        "the pace grows with each turn",
        _GATE,
        old="if (now - self.paced_at).total_seconds() < 1:",
        new="if now < self.paced_at:",
        killed_by=f"{_GATE_TEST}::test_a_pace_grows_once_a_second_however_many_ask",
    ),
    Mutation(
        "each call that a closing gate caught slows the pace",
        _GATE,
        old="self.slowed_at, self.closed_until or self.slowed_at\n        ):",
        new="self.slowed_at, self.slowed_at\n        ):",
        killed_by=_GATE_TEST,
    ),
    Mutation(
        "turns that were given out are given out again",
        _GATE,
        old="first = max(now, self.closed_until or now, self.next_turn or now)",
        new="first = max(now, self.closed_until or now)",
        killed_by=f"{_GATE_TEST}::test_turns_follow_each_other_at_the_pace",
    ),
    Mutation(
        "a process takes ever more turns",
        _PACER,
        old="        finally:\n            self._waiting -= 1\n",
        new="        finally:\n            pass\n",
        killed_by=f"{_TURNS_TEST}"
        "::test_a_process_takes_a_turn_for_each_attempt_that_waits_and_no_more",
    ),
    Mutation(
        "a turn counts one call of two",
        _PACER,
        old="calls = count * self._calls",
        new="calls = count",
        killed_by=f"{_TURNS_TEST}"
        "::test_a_process_takes_a_turn_for_each_attempt_that_waits_and_no_more",
    ),
    Mutation(
        "late calls are made at once",
        _PACER,
        old="(wait := max(turn.at, self._next) - self._clock.now())",
        new="(wait := turn.at - self._clock.now())",
        killed_by=f"{_TURNS_TEST}::test_calls_that_are_late_stay_apart_and_catch_up",
    ),
    Mutation(
        "attempts from the queue do not wait for their turn",
        "connorg/core/onboarding/resume.py",
        old="    await services.throttle.until(turn)\n",
        new="",
        killed_by=_TURNS_TEST,
    ),
    Mutation(
        "callers who wait leave no room among the turns",
        "connorg/core/onboarding/submit.py",
        old="    services.throttle.leave_room()\n",
        new="",
        killed_by=_TURNS_TEST,
    ),
)
