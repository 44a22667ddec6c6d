"""The outcome in the ticket: the workflow that writes it, held against each system's own API."""

import json
import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from tests.cases import each
from tests.logic_apps import Run, actions_of, workflow
from tests.senders import CONNECT
from tests.unit.webhooks.outcomes import OUTCOMES, view

WORKFLOW = workflow("outcome-to-ticket")
ADDRESS = "https://api.example"
JSON = "application/json"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def fenced(text: str) -> str:
    return f"```\n{text}\n```"


# Of each system: the ticket as the reference has it; the call as the system's API has it.
# Sources: Zendesk, "Update Ticket"; Freshdesk and Freshservice, "Create a note"; Jira Cloud, REST
# API v2, "Add comment"; Azure DevOps, "Work Items - Update"; GitHub, "Create an issue comment";
# GitLab, "Create new issue note".
CALLS: Mapping[str, tuple[str, str, str, Any, str]] = {
    "zendesk": (
        "35436",
        "PUT",
        "/api/v2/tickets/35436.json",
        lambda text: {"ticket": {"comment": {"body": text, "public": False}}},
        JSON,
    ),
    "freshdesk": (
        "11",
        "POST",
        "/api/v2/tickets/11/notes",
        lambda text: {"body": escaped(text), "private": True},
        JSON,
    ),
    "freshservice": (
        "11",
        "POST",
        "/api/v2/tickets/11/notes",
        lambda text: {"body": escaped(text), "private": True},
        JSON,
    ),
    "jira": (
        "PARTNERS-7",
        "POST",
        "/rest/api/2/issue/PARTNERS-7/comment",
        lambda text: {"body": text},
        JSON,
    ),
    "azure-devops": (
        "5",
        "PATCH",
        "/_apis/wit/workitems/5?api-version=7.1",
        lambda text: [{"op": "add", "path": "/fields/System.History", "value": escaped(text)}],
        "application/json-patch+json",
    ),
    "github": (
        "octo/partners#7",
        "POST",
        "/repos/octo/partners/issues/7/comments",
        lambda text: {"body": fenced(text)},
        JSON,
    ),
    "gitlab": (
        "group/partners#8",
        "POST",
        "/api/v4/projects/group%2Fpartners/issues/8/notes",
        lambda text: {"body": fenced(text)},
        JSON,
    ),
}
PAGES = {system: "github" if system == "gitlab" else system for system in CALLS}


def call_of(system: str, body: dict[str, Any]) -> dict[str, Any]:
    """The call that the workflow makes when it is called back."""
    parameters = {"system": system, "address": ADDRESS, "credential": "Basic x"}
    run = Run(parameters, body)
    for name in ("Text", "Number", "Fence"):
        run.bodies[name] = run.filled(WORKFLOW["actions"][name]["inputs"])
    which = WORKFLOW["actions"]["Which_system"]
    [case] = [c for c in which["cases"].values() if c["case"] == run.filled(which["expression"])]
    [action] = case["actions"].values()
    return dict(run.filled(action["inputs"]))


def test_an_outcome_is_written_as_the_systems_api_has_it() -> None:
    for case in each(product(CALLS, OUTCOMES)):
        with case as (system, status):
            reference, method, path, body, content_type = CALLS[system]
            call = call_of(system, view(status, reference))
            assert (call["method"], call["uri"]) == (method, f"{ADDRESS}{path}")
            assert call["headers"]["Content-Type"] == content_type
            assert call["headers"]["Authorization"] == "Basic x"
            assert call["body"] == body(f"connorg: {OUTCOMES[status]}")


def test_the_workflow_is_whole_and_hides_its_credential() -> None:
    which = WORKFLOW["actions"]["Which_system"]
    assert {*which["cases"]} == {*CALLS} == {*WORKFLOW["parameters"]["system"]["allowedValues"]}
    assert WORKFLOW["parameters"]["credential"]["type"] == "SecureString"
    for action in actions_of(which).values():
        assert action["type"] == "Terminate" or "inputs" in json.dumps(
            action["runtimeConfiguration"]["secureData"]
        )
    [default] = which["default"]["actions"].values()
    assert default["inputs"]["runStatus"] == "Failed"
    used = {*re.findall(r"parameters\('(\w+)'\)", json.dumps(WORKFLOW))}
    assert used == {*WORKFLOW["parameters"]}


@pytest.mark.parametrize("system", CALLS)
def test_each_page_tells_what_to_set_up(system: str) -> None:
    page = (CONNECT / f"{PAGES[system]}.md").read_text()
    _, _, section = page.partition("## The outcome in the ticket")
    assert "outcome-to-ticket.json" in section
    assert f"`system` = `{system}`" in section
    assert '"callbackUrl"' in section


def test_what_a_rule_of_jira_names_is_in_a_callback() -> None:
    page = (CONNECT / "jira.md").read_text()
    paths = re.findall(r"\{\{webhookData\.([\w.]+)\}\}", page)
    assert {"reference", "status", "lastError.action"} <= {*paths}
    told = [view(status) for status in OUTCOMES]
    for path in paths:
        assert any(_found(body, path.split(".")) for body in told), path


def _found(value: Any, steps: list[str]) -> bool:
    for step in steps:
        value = (value or {}).get(step)
    return value is not None
