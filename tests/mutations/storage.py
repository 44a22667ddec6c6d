"""Breaks of what reads and writes the tables: how many rows are read, and whether all are."""

from tests.mutations.mutation import Mutation

_SCAN = "connorg/storage/scan.py"
_LEDGER = "connorg/storage/ledger.py"
_PURGE = "connorg/storage/ledger_purge.py"
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
)
