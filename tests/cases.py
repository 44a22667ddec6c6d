"""A table of cases in one test: a test for each would cost more than most of them do."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


def each[Case](table: Iterable[Case]) -> Iterator[AbstractContextManager[Case]]:
    """Return each case, to be tried in a `with` of its own. No wrong one hides another.

    After the last one, raise a group of what the wrong cases raised, which names each of them.
    Raise AssertionError for an empty table. A loop that is left early sees no wrong case.
    """
    wrong: list[BaseException] = []

    @contextmanager
    def tried(case: Case) -> Iterator[Case]:
        try:
            yield case
        except (Exception, SystemExit, pytest.fail.Exception) as error:  # noqa: BLE001
            error.add_note(f"The case: {case!r:.300}")
            wrong.append(error)

    count = 0
    for count, case in enumerate(table, start=1):  # noqa: B007  it is counted
        yield tried(case)
    assert count, "the table is empty"
    if wrong:
        named = [error.__notes__[-1] for error in wrong]
        raise BaseExceptionGroup("\n".join([f"{len(wrong)} of {count} are wrong:", *named]), wrong)
