"""docs/operations.md, as its reader would follow it: every command that calls the app is run."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from connorg.settings import Settings
from infra.local.child import ROOT
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.end_to_end.client import Connorg, Json, Partner

PAGE = (ROOT / "docs/operations.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LINK = re.compile(r"\]\(([\w./-]+\.md)?(#[\w-]+)?\)")


async def run(connorg: Connorg, command: str, **variables: str) -> str:
    """Run a command as it stands, and give its output with the status."""
    app = {"CONNORG_URL": connorg.stack.functions, "CONNORG_KEY": connorg.stack.key}
    environment = {**app, "MASTER_KEY": DEFAULT_MASTER_KEY, **variables}
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        command.rstrip() + " -w '\\n%{http_code}'",
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, command
    return output.decode()


def command(part: str) -> str:
    """The one command of the page that has this in it."""
    [found] = [text for text in COMMANDS if part in text]
    return str(found)


async def failed(connorg: Connorg) -> str:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400)
    await connorg.submit(partner.body(reference=partner.domain))
    await connorg.graph.heal()
    [onboarding] = await connorg.listed(status="Failed", reference=partner.domain)
    return str(onboarding["id"])


async def told(connorg: Connorg, part: str, status: int, **variables: str) -> Json:
    body, _, code = (await run(connorg, command(part), **variables)).rpartition("\n")
    assert int(code) == status, body
    return dict(json.loads(body)) if body.strip() else {}


async def test_what_is_wrong_is_found_and_replayed_as_the_page_says(connorg: Connorg) -> None:
    onboarding_id = await failed(connorg)
    assert (await told(connorg, "/health", 200))["status"] == "healthy"
    assert (await told(connorg, "status=Waiting", 200))["value"] is not None
    assert (await told(connorg, "summary", 200))["byCode"]
    listed = (await told(connorg, "status=Failed", 200))["value"]
    assert onboarding_id in [onboarding["id"] for onboarding in listed]
    await told(connorg, "onboardings/$ID/retry", 202, ID=onboarding_id)
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"


async def test_all_are_replayed_as_the_page_says(connorg: Connorg) -> None:
    onboarding_id = await failed(connorg)
    code = (await connorg.onboarding(onboarding_id))["lastError"]["code"]
    dry = await told(connorg, "24h&dryRun=true", 200, CODE=code)
    assert onboarding_id in json.dumps(dry)
    assert (await connorg.onboarding(onboarding_id))["status"] == "Failed"
    await told(connorg, 'CODE&since=24h"', 202, CODE=code)
    assert (await connorg.ended(onboarding_id))["status"] == "Succeeded"


async def test_the_purge_is_run_as_the_page_says(connorg: Connorg) -> None:
    purged = "onboardings and batches from before"
    before = connorg.stack.log.count(purged)
    await told(connorg, "PurgeLedger", 202)
    await connorg.logged(purged, before + 1)


async def test_reports_are_made_as_the_page_says(connorg: Connorg) -> None:
    partner = Partner()
    await connorg.submit(partner.body(state="proposed"))
    csv, _, code = (await run(connorg, command("without-sponsors"))).rpartition("\n")
    assert (code, partner.domain in csv) == ("200", True)
    assert partner.domain not in json.dumps(await told(connorg, "olderThan", 200))
    assert partner.domain not in json.dumps(await told(connorg, "unrequested", 200))


async def test_a_partner_is_forgotten_as_the_page_says(connorg: Connorg) -> None:
    partner = Partner()
    onboarding_id = (await connorg.submit(partner.body())).json()["id"]
    dry = await told(connorg, "DOMAIN&dryRun=true", 200, DOMAIN=partner.domain)
    assert dry["onboardings"]["ids"] == [onboarding_id]
    assert (await connorg.onboarding(onboarding_id))["status"] == "Succeeded"
    done = await told(connorg, 'forget?domain=$DOMAIN"', 200, DOMAIN=partner.domain)
    assert done == {**dry, "dryRun": False}
    assert (await connorg.call("GET", f"onboardings/{onboarding_id}")).status_code == 404


def test_every_command_of_the_page_is_tried_here() -> None:
    tried = Path(__file__).read_text()
    parts = re.findall(r'told\(\s*connorg, ["\'](.+?)["\'], \d', tried)
    parts += re.findall(r'run\(connorg, command\("(.+?)"\)', tried)
    assert sorted(command(part) for part in parts) == sorted(COMMANDS)


@pytest.mark.parametrize("page", ["operations", "security"])
def test_a_page_names_settings_that_there_are_and_pages_that_there_are(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text()
    known = {field.alias for field in Settings.model_fields.values()}
    known |= {"CONNORG_CALLBACK_SECRETS", "CONNORG_RESULT_SECRETS"}
    known |= {"CONNORG_URL", "CONNORG_KEY"}  # of who calls
    assert set(re.findall(r"CONNORG_[A-Z_]+", text)) <= known
    for file, anchor in LINK.findall(text):
        target = ROOT / "docs" / file if file else ROOT / f"docs/{page}.md"
        assert target.exists(), file
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        anchors = {f"#{heading.lower().replace(' ', '-')}" for heading in headings}
        assert not anchor or anchor in anchors, anchor
