"""What README and the pages on files have their reader try, pasted as it stands.

The pages of docs/connect: test_connect_pages.py.
"""

import csv
import json

import pytest

from infra.local.child import ROOT
from infra.local.demo.partners import FILE
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.end_to_end.client import Connorg
from tests.end_to_end.pages import Page, paste

README, BULK, COMMAND = (
    Page(ROOT / name) for name in ("README.md", "docs/bulk.md", "docs/command.md")
)
DOMAINS = [row["Domain"] for row in csv.DictReader(FILE.read_text(encoding="utf-8").splitlines())]


@pytest.fixture
async def unused(connorg: Connorg) -> Connorg:
    """The shared stack, where nobody has asked for these partners."""
    await connorg.graph.forget_everything()
    for domain in (*DOMAINS, "contoso.com"):
        address = f"onboardings/forget?domain={domain}"
        answer = await connorg.call(
            "POST", address, headers={"x-functions-key": DEFAULT_MASTER_KEY}
        )
        assert answer.status_code == 200, answer.text
    return connorg


async def test_readme_creates_an_organization_and_shows_the_answer(unused: Connorg) -> None:
    [block] = README.blocks("sh")
    code, output = await paste(unused.stack, block)
    [shown], answered = README.json_blocks, json.loads(output)
    assert code == 0
    assert {**shown, "organization": answered["organization"]} == answered


async def test_a_file_is_sent_by_curl_as_its_page_says(unused: Connorg) -> None:
    [block] = BULK.blocks("sh")
    code, output = await paste(unused.stack, block)
    foreseen, *_, results = output.partition("row,name")
    rows = list(csv.DictReader(f"row,name{results}".splitlines()))
    assert code == 0
    assert json.loads(foreseen.splitlines()[0])["create"] == len(DOMAINS)
    assert [row["name"] for row in rows] == DOMAINS
    assert {(row["status"], row["conclusion"]) for row in rows} == {("Succeeded", "created")}


@pytest.mark.slow
async def test_a_file_is_sent_by_the_command_as_its_page_says(unused: Connorg) -> None:
    [block] = COMMAND.blocks("sh")
    code, output = await paste(unused.stack, block)
    assert code in {0, 2}, "2 where other tests have left failures"
    assert "8  would be created" in output
    assert "8 succeeded (8 created)" in output
    assert "onboardings: " in output
