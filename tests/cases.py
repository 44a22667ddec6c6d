"""A table of cases in one test: a test for each would cost more than most of them do."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


def each[Case](table: Iterable[Case]) -> Iterator[AbstractContextManager[Case]]:
    """Return each case, to be tried in a `with` of its own. After the last, fail with the wrong.

    The loop over them must not be left early.
    """
    wrong: list[BaseException] = []

    @contextmanager
    def tried(case: Case) -> Iterator[Case]:
        try:
            yield case
        except (Exception, SystemExit, pytest.fail.Exception) as error:  # noqa: BLE001
            error.add_note(f"The case: {case!r:.300}")
            wrong.append(error)

    for case in table:
        yield tried(case)
    if wrong:
        named = [error.__notes__[-1] for error in wrong]
        raise BaseExceptionGroup("\n".join(["not as expected:", *named]), wrong)
