"""Breaks of how storage is used: how many rows a scan reads, and who shares a look at the gate."""

from tests.mutations.mutation import Mutation

_SCAN = "connorg/storage/scan.py"
_LEDGER = "connorg/storage/ledger.py"
_PURGE = "connorg/storage/ledger_purge.py"
_SHARED = "connorg/core/throttle/shared_gate.py"
_SUBMIT = "connorg/core/onboarding/submit.py"
_SHARED_TEST = "tests/unit/core/test_shared_gate.py"
_DISARMS_TEST = "tests/unit/core/test_submit_disarms.py"
_SCANS = "tests/contract/test_scan.py"
_NOT_MORE_THAN_TEN = (
    f"{_SCANS}::test_no_scan_of_a_hundred_answers_takes_more_than_ten_in_a_row[simulated]"
)
_ALL_ARE_FOUND = f"{_SCANS}::test_all_rows_are_found_however_few_an_answer_holds[simulated]"
_OLDER_ROWS = f"{_SCANS}::test_the_code_of_an_older_row_is_read_out_of_the_onboarding[simulated]"

MUTATIONS = (
    Mutation(
        "the rest of a scan is one range",
        _SCAN,
        old="_RANGES = 32 ",
        new="_RANGES = 1 ",
        killed_by=_NOT_MORE_THAN_TEN,
    ),
    Mutation(
        "ranges are read one after the other",
        _SCAN,
        old="answers = await asyncio.gather(*(_next_answer(page, self.take) for page in pages))",
        new="answers = [await _next_answer(page, self.take) for page in pages]",
        killed_by=_NOT_MORE_THAN_TEN,
    ),
    Mutation(
        "rows of a partition that an answer cut in two are lost",
        _SCAN,
        old="zip([first.rest, *starts], ends, strict=True)",
        new='zip([first.rest + "g", *starts], ends, strict=True)',
        killed_by=_ALL_ARE_FOUND,
    ),
    Mutation(
        "rows of a partition that an answer cut in two are given twice",
        _SCAN,
        old="[one for partition, one in found if partition != rest]",
        new="[one for _, one in found]",
        killed_by=_ALL_ARE_FOUND,
    ),
    Mutation(
        "the first answer of a scan is taken for all",
        _SCAN,
        old="if pages.continuation_token is None:",
        new="if found:",
        killed_by=_ALL_ARE_FOUND,
    ),
    Mutation(
        "a range gives only its first answer",
        _SCAN,
        old="if answer is not None]",
        new="if answer is None]",
        killed_by=_ALL_ARE_FOUND,
    ),
    Mutation(
        "a list reads all rows to show a few",
        _SCAN,
        old="return keys[rank][0] if rank < len(keys) else None",
        new="return None",
        killed_by=f"{_SCANS}::test_a_list_reads_no_more_rows_as_the_ledger_grows",
    ),
    Mutation(
        "a list believes its guess of where enough rows are",
        _SCAN,
        old="if last is not None and len(found) < count:",
        new="if last is not None and not found:",
        killed_by=(
            f"{_SCANS}::test_a_list_is_right_though_partitions_are_not_spread_as_hashes_are"
        ),
    ),
    Mutation(
        "rows of older versions count without their code",
        "connorg/storage/entities.py",
        old="(code is None and status is not Status.SUCCEEDED)",
        new="(code is None and status is Status.RUNNING)",
        killed_by=_OLDER_ROWS,
    ),
    Mutation(
        "of the rows of older versions only some are counted",
        _LEDGER,
        old="for some in batched(old, _AT_ONCE, strict=False):",
        new="for some in batched(old[:_AT_ONCE], _AT_ONCE, strict=False):",
        killed_by=_OLDER_ROWS,
    ),
    Mutation(
        "keys are looked for among the onboardings, and never purged",
        _PURGE,
        old="before=OF_KEYS, ",
        new="",
        killed_by=f"{_SCANS}::test_keys_are_purged_however_few_an_answer_holds[simulated]",
    ),
    Mutation(
        "everybody reads the gate for themselves",
        _SHARED,
        old="return since is not None and asked - since <= MOMENT",
        new="return since is not None and asked < since",
        killed_by=f"{_SHARED_TEST}::test_one_reading_serves_all_who_ask_within_a_moment",
    ),
    Mutation(
        "a reading of the gate serves for as long as the process lives",
        _SHARED,
        old="return since is not None and asked - since <= MOMENT",
        new="return since is not None",
        killed_by=f"{_SHARED_TEST}::test_who_asks_later_has_it_read_again",
    ),
    Mutation(
        "everybody waits for slow readings of the gate, one after the other",
        _SHARED,
        old="if self._reading is None or not _is_recent(self._reading_since, asked):",
        new="if self._reading is None or self._reading.done():",
        killed_by=f"{_SHARED_TEST}::test_nobody_waits_for_a_reading_that_began_too_long_ago",
    ),
    Mutation(
        "an older reading of the gate that comes later hides a newer one",
        _SHARED,
        old="if self._known_since is None or began >= self._known_since:",
        new="if self._known_since is None or began:",
        killed_by=f"{_SHARED_TEST}::test_an_older_reading_that_comes_later_hides_nothing",
    ),
    Mutation(
        "a process goes by an older reading of a gate that it closed itself",
        _SHARED,
        old="        self._learn(written, began)\n        return written",
        new="        return written",
        killed_by=f"{_SHARED_TEST}::test_what_the_process_itself_wrote_it_knows_at_once",
    ),
    Mutation(
        "who gives up takes the reading of the gate from others",
        _SHARED,
        old="await asyncio.shield(self._reading)",
        new="await self._reading",
        killed_by=f"{_SHARED_TEST}::test_who_gives_up_waiting_takes_nothing_from_others",
    ),
    Mutation(
        "the message is never deleted",
        _SUBMIT,
        old="    if concluded.status.terminal:\n        _delete_meanwhile(services, receipt)",
        new="    if concluded.status.terminal:\n        pass",
        killed_by=_DISARMS_TEST,
    ),
    Mutation(
        "a caller waits until the message is deleted",
        _SUBMIT,
        old="    if concluded.status.terminal:\n        _delete_meanwhile(services, receipt)",
        new="    if concluded.status.terminal:\n"
        "        await delete_safety_message(services.queue, receipt)",
        killed_by=_DISARMS_TEST,
    ),
    Mutation(
        "an operation of a transaction that was refused counts as done",
        "connorg/storage/transactions.py",
        old="            if part.status_code not in _OK:\n",
        new="            if part.status_code not in range(200, 600):\n",
        killed_by="tests/contract/test_transactions.py::test_the_service_does_the_same",
    ),
    Mutation(
        "a transaction counts as done though its answer is cut",
        "connorg/storage/transactions.py",
        old="        if len(parts) != len(operations):\n",
        new="        if len(parts) > len(operations):\n",
        killed_by="tests/contract/test_transactions.py"
        "::test_an_answer_that_is_not_whole_proves_nothing",
    ),
    Mutation(
        "a transaction replaces what has changed since",
        "connorg/storage/transactions.py",
        old="            condition = f\"If-Match: {options['etag']}\\r\\n\"\n",
        new='            condition = "If-Match: *\\r\\n"\n',
        killed_by="tests/contract/test_transactions.py::test_the_service_does_the_same",
    ),
    Mutation(
        "an answer of storage that is cut off is a fault of the app",
        "connorg/storage/connection.py",
        old="(ServiceRequestError, ServiceResponseError, DecodeError)",
        new="(ServiceRequestError, ServiceResponseError)",
        killed_by="tests/contract/test_transactions.py::test_an_answer_that_is_cut_is_no_answer",
    ),
)
