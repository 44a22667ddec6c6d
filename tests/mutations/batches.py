"""Breaks of batches: rows that are lost, taken twice or never told of."""

from tests.mutations.mutation import Mutation

_ACCEPT = "connorg/core/batches/accept.py"
_ROWS = "connorg/core/batches/rows.py"
_PROGRESS = "connorg/core/batches/progress.py"
_FORECAST = "connorg/core/batches/forecast.py"
_CORE = "tests/unit/core/test_batches.py"
_CONTRACT = "tests/contract/test_batches.py"
_TRIGGERS = "tests/contract/test_triggers.py"
_CRASHES = "tests/simulation/test_batch_crashes.py"

MUTATIONS = (
    Mutation(
        "an outage of the tables drops a batch's message",
        _ROWS,
        old="    async with put_again_in_outage(services.queue, message):\n"
        "        await _resume(services, message, deliveries)\n",
        new="    try:\n"
        "        await _resume(services, message, deliveries)\n"
        "    except StorageUnavailableError:\n"
        "        return\n",
        killed_by=f"{_CORE}::test_in_an_outage_of_the_tables_a_message_comes_again",
    ),
    Mutation(
        "a row that met an outage alone is dropped",
        _ROWS,
        old="        await services.queue.put(message, POSTPONE)\n",
        new="        pass\n",
        killed_by=f"{_CORE}::test_a_row_that_met_an_outage_alone_comes_again_alone",
    ),
    Mutation(
        "a row that waits is not put on the queue again",
        _ROWS,
        old="    if delay is not None:\n",
        new="    if delay is None:\n",
        killed_by=f"{_CORE}::test_a_row_that_waits_is_noted_and_comes_again",
    ),
    Mutation(
        "batches are never purged",
        "connorg/core/retention.py",
        old="(services.ledger.purge, services.batches.purge)",
        new="(services.ledger.purge,)",
        killed_by="tests/unit/core/test_retention.py::test_batches_go_as_onboardings_do",
    ),
    Mutation(
        "a purge of batches takes those that are not that old",
        "connorg/storage/batches.py",
        old='f"batch-{countdown(before)}~"',
        new='"batch-"',
        killed_by="tests/unit/core/test_retention.py::test_batches_go_as_onboardings_do",
    ),
    Mutation(
        "a row may ask to be called back where the policy allows the host",
        _ACCEPT,
        old="    if row.request.callback_url is not None:\n",
        new="    if row.request.callback_url is None and row.faults:\n",
        killed_by=f"{_CORE}::test_a_row_may_not_ask_to_be_called_back_whatever_the_policy_allows",
    ),
    Mutation(
        "the message of a batch comes before its rows",
        _ACCEPT,
        old="    await services.batches.write(batch, rows)\n"
        "    message = BatchMessage("
        "batch_id=batch.id, by=submission.by, traceparent=batch.traceparent)\n"
        "    await services.queue.put(message, 0)\n",
        new="    message = BatchMessage("
        "batch_id=batch.id, by=submission.by, traceparent=batch.traceparent)\n"
        "    await services.queue.put(message, 0)\n"
        "    await services.batches.write(batch, rows)\n",
        killed_by=f"{_CORE}::test_a_batch_and_its_rows_are_there_before_its_message",
    ),
    Mutation(
        "a file sent again with its key is another batch",
        _ACCEPT,
        old='        batch = batch.model_copy(update={"id": bound.onboarding_id})\n',
        new="",
        killed_by=f"{_CORE}::test_a_file_sent_again_with_its_key_is_the_same_batch",
    ),
    Mutation(
        "another file with the same key is taken for the first",
        _ACCEPT,
        old="bound.fingerprint != submission.fingerprint",
        new="bound.fingerprint != reservation.fingerprint and not bound.onboarding_id",
        killed_by=f"{_CORE}::test_a_file_sent_again_with_its_key_is_the_same_batch",
    ),
    Mutation(
        "a batch that was written before a crash is taken for begun",
        _ACCEPT,
        old="earlier is not None and await _is_begun(services.batches, earlier)",
        new="earlier is not None",
        killed_by=f"{_CORE}::test_a_file_that_was_written_without_a_message_gets_one_when_it_is_sent"
        "_again",
    ),
    Mutation(
        "the last row of a file is not put on the queue",
        _ACCEPT,
        old="range(0, len(due), _SLICE)",
        new="range(0, len(due) - 1, _SLICE)",
        killed_by=f"{_CORE}::test_each_row_is_in_one_message_whatever_their_number",
    ),
    Mutation(
        "the last row of a message is left out",
        "connorg/storage/batches.py",
        old="RowKey ge @first and RowKey le @end",
        new="RowKey ge @first and RowKey lt @end",
        killed_by=f"{_CORE}::test_each_row_is_in_one_message_whatever_their_number",
    ),
    Mutation(
        "the rows after the last whole hundred are not written",
        "connorg/storage/batches.py",
        old="    if chunk:\n        yield chunk\n",
        new="    if len(chunk) == LARGEST_TRANSACTION:\n        yield chunk\n",
        killed_by=f"{_CONTRACT}::test_thousands_of_rows_are_written_and_read_in_their_order",
    ),
    Mutation(
        "doubles are put on the queue",
        _ACCEPT,
        old="row.duplicate_of is None and not row.status.terminal",
        new="not row.status.terminal",
        killed_by=f"{_CORE}::test_rows_that_nothing_is_to_be_done_for_are_not_put_on_the_queue",
    ),
    Mutation(
        "an old message takes the rows of a replay",
        _ACCEPT,
        old="not row.status.terminal and row.replay == replay",
        new="not row.status.terminal",
        killed_by=f"{_CORE}::test_an_old_message_takes_no_row_of_a_replay",
    ),
    Mutation(
        "a replay of a batch takes rows that succeeded",
        _ACCEPT,
        old="        if row.status is not RowStatus.FAILED or name",
        new="        if not row.status.terminal or name",
        killed_by=f"{_CORE}::test_a_replay_of_a_batch_takes_the_rows_that_failed_alone",
    ),
    Mutation(
        "an old replay takes a row back",
        _ACCEPT,
        old=' or name <= (row.replay or ""):',
        new=" or name == row.replay:",
        killed_by=f"{_CORE}::test_an_older_replay_does_not_take_rows_back_from_a_newer_one",
    ),
    Mutation(
        "a cancel of a batch leaves rows that are noted meanwhile",
        _ACCEPT,
        old="    while changed := [",
        new="    if changed := [",
        killed_by=f"{_CORE}::test_a_cancel_of_a_batch_leaves_no_row_that_waits",
    ),
    Mutation(
        "a cancel of a batch cancels rows that have ended",
        _ACCEPT,
        old="        if row.status.terminal or row.duplicate_of is not None:\n",
        new="        if row.status is RowStatus.CANCELED or row.duplicate_of is not None:\n",
        killed_by=f"{_CORE}::test_a_cancel_leaves_what_has_ended",
    ),
    Mutation(
        "a cancel of a batch leaves the onboardings that were begun",
        _ROWS,
        old="    result = await cancel(services, message.onboarding_id, channels.BATCH)\n",
        new="    result = None\n",
        killed_by=f"{_CORE}::test_what_a_canceled_row_had_begun_is_canceled_with_it",
    ),
    Mutation(
        "rows are not noted where one of them was noted meanwhile",
        _ROWS,
        old="            await _note(services, task.message, task.row, onboarding)\n",
        new="            pass\n",
        killed_by=f"{_CORE}::test_rows_are_noted_though_one_of_them_was_noted_meanwhile",
    ),
    Mutation(
        "a row that was given up never ends",
        _ROWS,
        old="    await _note(services, message, row, onboarding)\n\n\nasync def _tasks",
        new="    del row, onboarding\n\n\nasync def _tasks",
        killed_by=f"{_CORE}::test_rows_that_are_given_up_end_and_end_their_batch",
    ),
    Mutation(
        "a row that kills its process takes its neighbours with it",
        _ROWS,
        old="    elif deliveries > 1:\n",
        new="    elif deliveries < 1:\n",
        killed_by=f"{_CRASHES}::test_a_row_that_kills_its_process_each_time_fails_alone",
    ),
    Mutation(
        "a batch ends while a row waits",
        _PROGRESS,
        old="counts[RowStatus.NOT_STARTED] or counts[RowStatus.WAITING]:",
        new="counts[RowStatus.NOT_STARTED]:",
        killed_by=f"{_CORE}::test_a_batch_has_ended_when_each_row_has",
    ),
    Mutation(
        "a batch with a canceled row never ends",
        "connorg/contract/batches.py",
        old="not in {RowStatus.NOT_STARTED, RowStatus.WAITING}",
        new="not in {RowStatus.NOT_STARTED, RowStatus.WAITING, RowStatus.CANCELED}",
        killed_by=f"{_CORE}::test_rows_that_nothing_is_to_be_done_for_are_not_put_on_the_queue",
    ),
    Mutation(
        "what was done for a row is counted for its doubles too",
        _PROGRESS,
        old="    concluded = Counter(row.conclusion for row in outline if row.status",
        new="    by_number = {row.number: row for row in outline}\n"
        "    outline = [_standing_for(row, by_number) for row in outline]\n"
        "    concluded = Counter(row.conclusion for row in outline if row.status",
        killed_by=f"{_CORE}::test_counts_add_up_though_rows_are_doubles",
    ),
    Mutation(
        "doubles are counted as rows that never begin",
        _PROGRESS,
        old="Counter(_standing_for(row, by_number).status for row in outline)",
        new="Counter(row.status for row in outline)",
        killed_by=f"{_CORE}::test_counts_add_up_though_rows_are_doubles",
    ),
    Mutation(
        "a forecast knows the first page of organizations alone",
        "connorg/core/organizations.py",
        old="        if after is None:\n",
        new="        if after is not page:\n",
        killed_by=f"{_CORE}::test_a_forecast_looks_at_all_that_graph_lists",
    ),
    Mutation(
        "a forecast says that the policy refuses what is wrong by itself",
        _FORECAST,
        old="all(fault.rule for fault in row.faults)",
        new="bool(row.faults)",
        killed_by=f"{_CORE}::test_a_forecast_tells_what_is_wrong_from_what_is_refused",
    ),
    Mutation(
        "the nightly timer purges nothing",
        "connorg/functions/timers/purge.py",
        old="    await purge(services())\n",
        new="    services()\n",
        killed_by=f"{_TRIGGERS}::test_each_night_what_is_old_is_forgotten",
    ),
    Mutation(
        "rows that were given up are tried again",
        "function_app.py",
        old="(batch.on_poison)",
        new="(batch.on_message)",
        killed_by=f"{_TRIGGERS}::test_the_rows_of_a_batch_are_buried",
    ),
    Mutation(
        "a message of a batch is read and let go",
        "connorg/functions/queues/batch.py",
        old="                await act(message)\n",
        new="                return bool(message)\n",
        killed_by=f"{_TRIGGERS}::test_the_rows_of_a_batch_are_put_on_the_queue_and_carried_on_with",
    ),
    Mutation(
        "a row that its message begins is not counted",
        _ROWS,
        old="    telemetry.accepted()\n",
        new="",
        killed_by="tests/unit/telemetry/test_counts.py::test_a_row_of_a_batch_is_counted",
    ),
)
