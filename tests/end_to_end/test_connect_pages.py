"""docs/connect, as its reader would follow it: every command is run, every body is pasted."""

import json
import re
import shlex
from pathlib import Path

import pytest

from connorg.webhooks.senders import load
from tests import senders
from tests.end_to_end.client import Connorg, eventually
from tests.end_to_end.pages import Page, paste
from tests.logic_apps import actions_of, workflow
from tests.senders import CONNECT, DOCUMENTED
from tests.stack import Stack

STATUS = re.compile(r"^HTTP/1\.1 (\d{3})", re.MULTILINE)


def settings(page: Page) -> dict[str, str]:
    """Return what its `make run` commands set."""
    words = [word for block in page.blocks("sh") for word in make_run_arguments(block)]
    return dict(word.split("=", 1) for word in words if "=" in word)


def make_run_arguments(block: str) -> list[str]:
    if not block.startswith("make run"):
        return []
    [_, _, arguments] = shlex.split(block)
    return shlex.split(arguments.removeprefix("ARGS="))


INDEX = Page(CONNECT / "README.md")
LOGIC_APPS = Page(CONNECT / "logic-apps.md")
OTHERS = {INDEX.path, LOGIC_APPS.path}
PAGES = [Page(path) for path in sorted(CONNECT.glob("*.md")) if path not in OTHERS]
each_page = pytest.mark.parametrize("page", PAGES, ids=[page.path.stem for page in PAGES])
CALLS = [(page.path.stem, call) for page in (*PAGES, LOGIC_APPS) for call in page.calls]
TRY = "# Try it on your machine\n"


@pytest.mark.parametrize(("page", "call"), CALLS, ids=[f"{page}" for page, _ in CALLS])
async def test_a_pages_call_answers_as_the_page_says(fresh: Connorg, page: str, call: str) -> None:
    assert "It answers `202`; sent again, `200`." in Page(CONNECT / f"{page}.md").text
    code, output = await paste(fresh.stack, call)
    assert (code, STATUS.findall(output)) == (0, ["202"]), output

    async def is_done() -> bool:
        _, output = await paste(fresh.stack, call)
        return STATUS.findall(output) == ["200"]

    await eventually(is_done, f"{page} is never answered 200")


@pytest.mark.parametrize("page", [*PAGES, LOGIC_APPS], ids=lambda page: str(page.path.stem))
def test_each_page_has_something_to_try(page: Page) -> None:
    _, *boxes = page.text.split(TRY)
    assert boxes
    assert page.calls
    assert all("make run" in box for box in boxes)


@each_page
def test_a_pages_stack_is_the_one_that_its_call_is_tried_on(page: Page) -> None:
    secrets = settings(page)
    assert secrets.pop("CONNORG_WEBHOOK_SOURCES") == "docs/connect/sources.json"
    assert secrets
    assert secrets.items() <= senders.SECRETS.items()


@each_page
def test_a_pages_declarations_are_those_of_the_example(page: Page) -> None:
    declared = [block for block in page.json_blocks if DOCUMENTED.keys() & block.keys()]
    assert declared
    for document in declared:
        load(json.dumps(document))
        assert document.items() <= DOCUMENTED.items()
    [name, *_] = declared[0]
    fields = {"counts", "request", "defaults"}
    for changes in [block for block in page.json_blocks if fields & block.keys()]:
        source = DOCUMENTED[name]
        request = {**source.get("request", {}), **changes.get("request", {})}
        load(json.dumps({"changed": {**source, **changes, "request": request}}))


@each_page
def test_a_pages_body_has_what_its_profile_reads(page: Page) -> None:
    bodies = [block.get("data", block) for block in page.json_blocks]
    bodies = [body for body in bodies if "partnerName" in body]
    assert bodies or page.path.stem in {"github", "azure-devops", "other-systems"}, "its own events"
    for body in bodies:
        assert {*body} == {
            "partnerName",
            "partnerDomain",
            "partnerTenantId",
            "description",
            "ticket",
        }


async def test_the_index_shows_how_to_check_a_sample(stack: Stack, tmp_path: Path) -> None:
    [block] = INDEX.blocks("sh")
    code, output = await paste(stack, block.replace("event.json", str(tmp_path / "event.json")))
    assert code == 0
    told = json.loads(output)
    assert told["deliveryId"] == "4711"
    assert told["request"]["reference"] == "RITM0010023"


def test_the_index_names_every_page_profile_and_scheme() -> None:
    for page in PAGES:
        assert f"({page.path.name})" in INDEX.text
    for name in (
        *("jira", "zendesk", "standard-webhooks", "hmac", "header-key", "basic", "stripe", "slack"),
    ):
        assert f'{{"scheme": "{name}"' in INDEX.text
    for declared in DOCUMENTED.values():
        assert "profile" not in declared or f"`{declared['profile']}`" in INDEX.text


def test_the_page_on_logic_apps_names_what_there_is() -> None:
    linked = re.findall(r"\]\((\.\./[^)]+)\)", LOGIC_APPS.text)
    assert len(linked) > 4
    for path in linked:
        assert (CONNECT / path.partition("#")[0]).exists(), path
    definition = workflow("call-and-poll")
    for parameter in definition["parameters"]:
        assert f"| `{parameter}` |" in LOGIC_APPS.text
    assert actions_of(definition)["Organization"]["inputs"] in LOGIC_APPS.text
