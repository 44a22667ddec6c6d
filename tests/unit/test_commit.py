"""What a commit picks of the slow tests."""

import pytest

from infra.local.child import ROOT
from tests.commit import commit_number, quarter

NAMES = [f"group-{number}" for number in range(10)]


def test_four_remainders_take_each_group_once() -> None:
    quarters = [quarter(NAMES, commit) for commit in (4096, 1, 18, 7)]
    assert sorted(name for names in quarters for name in names) == NAMES
    assert {len(names) for names in quarters} == {2, 3}


def test_a_group_is_taken_whole_whatever_the_order_of_its_tests() -> None:
    assert quarter([*NAMES, *reversed(NAMES)], 1) == quarter(NAMES, 1)


def test_where_there_is_no_git_the_number_is_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (commit_number() > 0) == (ROOT / ".git").exists()
    monkeypatch.setenv("PATH", "")
    assert commit_number() == 0
