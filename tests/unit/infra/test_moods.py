"""The words that change how the emulated Graph behaves."""

import re

import pytest

from infra.local.child import ROOT
from infra.local.graph.config import Config
from infra.local.graph.faults import read_rules
from infra.local.moods import MOODS, Mood


@pytest.mark.parametrize("mood", MOODS.values(), ids=MOODS)
def test_the_emulator_takes_each(mood: Mood) -> None:
    assert Config().merged(mood.config)
    assert len(read_rules(list(mood.faults))) == len(mood.faults)


def test_the_page_has_each_with_its_meaning() -> None:
    page = (ROOT / "docs/local-stack.md").read_text()
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \|$", page, re.MULTILINE))
    assert {name: mood.means for name, mood in MOODS.items()}.items() <= told.items()
