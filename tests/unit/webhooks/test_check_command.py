"""`python -m connorg.webhooks check`: for the person who writes a mapping."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from connorg.settings import settings
from connorg.webhooks import __main__ as command
from tests.senders import CONNECT, Ticket

ROOT = Path(__file__).parents[3]
PAYLOADS = ROOT / "tests/payloads"


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    monkeypatch.setenv("CONNORG_WEBHOOK_SOURCES", str(CONNECT / "sources.json"))


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = command.main(["check", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def test_it_shows_the_request_and_the_delivery_id(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(Ticket("Contoso.com", number="T-1").typed())
    code, told = check(capsys, "servicenow", event, "--header", "Idempotency-Key=5f4d-2")
    assert code == 0
    assert (told["counts"], told["deliveryId"]) == (True, "5f4d-2")
    assert told["request"]["reference"] == "T-1"
    assert told["request"]["identitySources"][0]["domainName"] == "contoso.com"


def test_it_shows_every_fault_and_what_was_mapped(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = check(capsys, "servicenow", PAYLOADS / "servicenow-1.json")
    assert code == 1
    assert (told["counts"], told["deliveryId"], told["reference"]) == (True, None, "INC0010023")
    assert [fault["pointer"] for fault in told["faults"]] == ["/displayName", "/identitySources"]
    assert told["mapped"]["state"] == "configured"


def test_it_shows_what_is_no_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text("not JSON")
    code, told = check(capsys, "servicenow", event)
    assert code == 1
    assert "not JSON" in told["faults"][0]["detail"]


def test_it_shows_that_an_event_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = check(capsys, "jira", PAYLOADS / "jira-3.json")
    assert (code, told["counts"]) == (3, False)
    first, second = told["because"]
    assert first == {
        "condition": "webhookEvent == 'jira:issue_updated'",
        "holds": False,
        "found": ['webhookEvent found "jira:issue_created"'],
    }
    assert (second["holds"], "changelog.items found [" in second["found"][0]) == (False, True)


def test_it_shows_each_expression_with_what_it_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(Ticket("Contoso.com", number="T-1").typed(partnerTenantId=None))
    _, told = check(capsys, "servicenow", event)
    found = {one["field"]: one["found"] for one in told["expressions"]}
    assert found["/displayName"] == 'partnerName found "Contoso"'
    tenant = found["/identitySources/0/tenantId"]
    assert tenant == "partnerTenantId found nothing, it is null"
    event.write_bytes(Ticket("Contoso.com").typed(partnerTenantId=str(uuid.UUID(int=1))))
    _, told = check(capsys, "servicenow", event)
    assert told["note"] == "tenantId is used, not domainName (Contoso.com)."


def test_a_source_or_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["check", "sap", "event.json"]) == 2
    assert "declares no source sap. Declared: servicenow, jira" in capsys.readouterr().err
    assert command.main(["check", "jira", "no-such.json"]) == 2
    assert "no-such.json" in capsys.readouterr().err


def test_a_wrong_declaration_is_told_without_a_stack_trace() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "connorg.webhooks", "check", "jira", "event.json"],
        cwd=ROOT,
        env={"CONNORG_WEBHOOK_SOURCES": '{"jira": {"profile": "jira"}}'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("CONNORG_WEBHOOK_SOURCES is wrong. jira")
    assert "Traceback" not in run.stderr
