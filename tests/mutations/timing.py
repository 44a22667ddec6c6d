"""Breaks of durations and clocks: what begins too early, lasts too long, or never ends."""

from tests.mutations.mutation import Mutation

_CALLBACKS = "connorg/core/callbacks.py"
_LIFECYCLE = "connorg/core/domain/lifecycle.py"
_TIMING = "connorg/core/domain/timing.py"
_CALL_BACK_TEST = "tests/unit/core/test_call_back.py"
_LIFECYCLE_TEST = "tests/unit/core/test_lifecycle.py"
_TIMES_TEST = "tests/simulation/test_times.py"
_TIMING_TEST = "tests/unit/core/test_timing.py"

MUTATIONS = (
    Mutation(
        "an attempt may be as long as its lease",
        "connorg/core/onboarding/attempt.py",
        old=" - services.timing.lease_margin\n",
        new="\n",
        killed_by=f"{_TIMES_TEST}"
        "::test_an_attempt_ends_well_before_its_lease_however_late_it_began",
    ),
    Mutation(
        "a lease is as long as an attempt",
        _TIMING,
        old="return self.attempt_limit + self.lease_margin",
        new="return self.attempt_limit",
        killed_by=f"{_LIFECYCLE_TEST}::test_the_lease_outlasts_the_attempt",
    ),
    Mutation(
        "a purge outlasts its function",
        _TIMING,
        old="purge_limit: float = 3 * 60\n",
        new="purge_limit: float = 30 * 60\n",
        killed_by=f"{_TIMING_TEST}::test_what_must_end_first_is_shorter",
    ),
    Mutation(
        "a callback may last longer than its lease",
        "connorg/callback_receiver.py",
        old="ClientTimeout(total=15)",
        new="ClientTimeout(total=60)",
        killed_by=f"{_TIMING_TEST}::test_what_must_end_first_is_shorter",
    ),
    Mutation(
        "a callback waits for its receiver as long as that likes",
        "connorg/callback_receiver.py",
        old="            timeout=_PATIENCE,\n",
        new="",
        killed_by=f"{_TIMING_TEST}::test_what_must_end_first_is_shorter",
    ),
    Mutation(
        "a single question waits for Graph as long as that likes",
        "connorg/core/throttle/throttle.py",
        old="asyncio.timeout(self._timing.attempt_limit)",
        new="asyncio.timeout(None)",
        killed_by=f"{_TIMES_TEST}::test_a_single_question_has_the_time_of_an_attempt",
    ),
    Mutation(
        "the ledger is purged sixty times a night",
        "connorg/functions/timers/purge.py",
        old='"0 17 3 * * *"',
        new='"* 17 3 * * *"',
        killed_by=f"{_TIMING_TEST}"
        "::test_the_ledger_is_purged_once_a_night_and_the_queue_looked_at_each_minute",
    ),
    Mutation(
        "hours of giving up are taken for minutes",
        "connorg/wiring.py",
        old="give_up=config.give_up_hours * 60 * 60,",
        new="give_up=config.give_up_hours * 60,",
        killed_by=f"{_TIMING_TEST}::test_a_setting_sets_its_duration_in_its_unit_and_no_other",
    ),
    Mutation(
        "what it created itself is not known where Graph's clock is behind",
        "connorg/core/onboarding/steps.py",
        old="_CLOCK_SKEW = timedelta(minutes=5)",
        new="_CLOCK_SKEW = timedelta(0)",
        killed_by=f"{_TIMES_TEST}"
        "::test_what_it_created_itself_is_known_by_graphs_clock_that_is_wrong",
    ),
    Mutation(
        "a date in Retry-After is held against our clock",
        "connorg/graph/setbacks.py",
        old='told_at = _moment(headers.get("date", "")) or now',
        new="told_at = now",
        killed_by="tests/unit/graph/test_setbacks.py"
        "::test_a_date_to_wait_for_is_one_of_graphs_own_clock",
    ),
    Mutation(
        "Graph may ask to be left alone for years",
        "connorg/graph/setbacks.py",
        old="return min(seconds, _LONGEST_PAUSE)",
        new="return seconds",
        killed_by="tests/unit/graph/test_setbacks.py",
    ),
    Mutation(
        "what is due later goes on at once",
        "connorg/core/onboarding/resume.py",
        old="services.throttle.turn(onboarding.due, gate, patient=patient)",
        new="services.throttle.turn(None, gate, patient=patient)",
        killed_by=f"{_TIMES_TEST}"
        "::test_an_onboarding_goes_on_when_it_is_due_and_no_longer_than_its_time",
    ),
    Mutation(
        "an onboarding that comes back after its time is tried again",
        "connorg/core/onboarding/resume.py",
        old="    if _is_exhausted(services, onboarding):\n"
        "        return await _give_up(services, onboarding)\n",
        new="",
        killed_by=f"{_TIMES_TEST}"
        "::test_an_onboarding_goes_on_when_it_is_due_and_no_longer_than_its_time",
    ),
    Mutation(
        "an onboarding that fails again and again is never given up",
        _LIFECYCLE,
        old="    if next_attempt > onboarding.give_up_date_time:\n"
        "        return give_up(onboarding, setback.error, now)\n",
        new="",
        killed_by=f"{_LIFECYCLE_TEST}"
        "::test_after_a_day_the_onboarding_fails_and_says_what_the_last_attempt_said",
    ),
    Mutation(
        "the pauses between attempts do not grow",
        _TIMING,
        old="shortest * 2 ** min(attempts, 16))",
        new="shortest * 2)",
        killed_by=f"{_LIFECYCLE_TEST}"
        "::test_the_backoff_grows_from_five_seconds_to_a_quarter_of_an_hour",
    ),
    Mutation(
        "the Retry-After of one onboarding is not waited",
        _LIFECYCLE,
        old="asked = setback.retry_after + random.uniform(0, 1)",
        new="asked = random.uniform(0, 1)",
        killed_by=f"{_LIFECYCLE_TEST}::test_a_retry_after_is_obeyed_to_the_second",
    ),
    Mutation(
        "callbacks are tried for ever",
        _CALLBACKS,
        old='        ended = "given up"\n',
        new="        pass\n",
        killed_by=f"{_CALL_BACK_TEST}"
        "::test_who_never_takes_it_is_called_for_a_day_and_then_left_alone",
    ),
    Mutation(
        "a callback that is asked for long after the end is tried once",
        _CALLBACKS,
        old="since = max(onboarding.last_action_date_time, message.asked_date_time)",
        new="since = onboarding.last_action_date_time",
        killed_by=f"{_CALL_BACK_TEST}"
        "::test_who_never_takes_it_is_called_for_a_day_and_then_left_alone",
    ),
    Mutation(
        "the pauses between callbacks do not grow",
        _CALLBACKS,
        old='{"failures": message.failures + 1}',
        new='{"failures": 1}',
        killed_by=f"{_CALL_BACK_TEST}::test_pauses_between_calls_grow",
    ),
    Mutation(
        "the policy is not asked again when a callback is delivered",
        _CALLBACKS,
        old="    if services.policy.callback_refusal(message.callback_url) is not None:\n"
        '        return "the policy refuses the address"\n',
        new="",
        killed_by=f"{_CALL_BACK_TEST}::test_nobody_is_called_whom_the_policy_refuses_by_now",
    ),
    Mutation(
        "poisoned callbacks do not end",
        _CALLBACKS,
        old='        await ledger.record_callback(note.model_copy(update={"ended": "poisoned"}))\n',
        new="",
        killed_by=f"{_CALL_BACK_TEST}::test_a_callback_that_the_host_gave_up_has_ended",
    ),
    Mutation(
        "the function of poisoned callbacks ends none",
        "connorg/functions/queues/callback.py",
        old="            await bury_callback(services().ledger, message)\n",
        new="            pass\n",
        killed_by="tests/end_to_end/test_callbacks.py::test_a_callback_that_the_host_gave_up_ends",
    ),
    Mutation(
        "two messages for one address call at once",
        _CALLBACKS,
        old="    if (pause := seconds_until(note.due, services.clock.now())) > 0:\n"
        "        await services.callbacks.queue.put(message, pause)\n        return\n",
        new="",
        killed_by=f"{_CALL_BACK_TEST}::test_a_second_message_waits_while_somebody_is_calling",
    ),
)
