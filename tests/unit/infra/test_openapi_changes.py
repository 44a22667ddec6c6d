"""What breaks callers is told from what only adds something."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.openapi.__main__ import main
from infra.openapi.changes import changes

type Json = dict[str, Any]

COMMITTED = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())
SUBMIT, LIST = "POST /connected-organizations", "GET /onboardings"


def operation(described: Json, name: str) -> Json:
    method, path = name.split()
    found: Json = described["paths"][path][method.lower()]
    return found


def schema(described: Json, name: str) -> Json:
    found: Json = described["components"]["schemas"][name]
    return found


def a_parameter(*, needed: bool) -> Json:
    return {"name": "novelty", "in": "query", "required": needed, "schema": {"type": "string"}}


BREAKS: dict[str, Callable[[Json], Any]] = {
    "an operation goes": lambda d: d["paths"].pop("/batches"),
    "a parameter goes": lambda d: operation(d, LIST)["parameters"].pop(0),
    "a parameter is needed": lambda d: operation(d, LIST)["parameters"].append(
        a_parameter(needed=True)
    ),
    "a known parameter is needed": lambda d: operation(d, LIST)["parameters"][0].update(
        required=True
    ),
    "a number of a parameter is lower": lambda d: [
        one["schema"].update(maximum=10)
        for one in operation(d, LIST)["parameters"]
        if one["name"] == "top"
    ],
    "a field of a body goes": lambda d: schema(d, "OnboardingRequest")["properties"].pop(
        "reference"
    ),
    "a field of a body is needed": lambda d: schema(d, "OnboardingRequest")["required"].append(
        "reference"
    ),
    "a text must be shorter": lambda d: schema(d, "OnboardingRequest")["properties"][
        "displayName"
    ].update(maxLength=100),
    "a value is no longer taken": lambda d: schema(d, "IfExists")["enum"].remove("fail"),
    "a pattern comes": lambda d: schema(d, "OnboardingRequest")["properties"]["description"].update(
        pattern="^A"
    ),
    "an identity source goes": lambda d: schema(d, "IdentitySource")["oneOf"].pop(),
    "a field of an answer goes": lambda d: schema(d, "Onboarding")["properties"].pop("status"),
    "a field of an answer may be missing": lambda d: schema(d, "Onboarding")["required"].remove(
        "status"
    ),
    "an unknown value is answered": lambda d: schema(d, "Status")["enum"].append("Paused"),
    "an unknown type is answered": lambda d: schema(d, "Onboarding")["properties"][
        "attempts"
    ].update(type="string"),
    "a success has another status": lambda d: operation(d, LIST)["responses"].update(
        {"206": {"description": "Some."}}
    ),
    "a header goes": lambda d: operation(d, SUBMIT)["responses"]["202"]["headers"].pop("Location"),
    "a media type goes": lambda d: operation(d, LIST)["responses"]["200"]["content"].pop(
        "text/csv"
    ),
    "another role is needed": lambda d: operation(d, LIST)["security"][1].update(
        entra=["Onboarding.Manage"]
    ),
    "a body is needed": lambda d: operation(d, "POST /onboardings/retry")["requestBody"].update(
        required=True
    ),
}
ADDS: dict[str, Callable[[Json], Any]] = {
    "an operation comes": lambda d: d["paths"].update(
        {"/novelty": {"get": {"responses": {"200": {"description": "It."}}}}}
    ),
    "a parameter comes": lambda d: operation(d, LIST)["parameters"].append(
        a_parameter(needed=False)
    ),
    "a field of a body comes": lambda d: schema(d, "OnboardingRequest")["properties"].update(
        novelty={"type": "string"}
    ),
    "a field of a body is no longer needed": lambda d: schema(d, "OnboardingRequest")[
        "required"
    ].remove("state"),
    "a text may be longer": lambda d: schema(d, "OnboardingRequest")["properties"][
        "displayName"
    ].update(maxLength=1000),
    "a value is taken": lambda d: [
        one["schema"]["enum"].append("ask")
        for one in operation(d, "POST /batches")["parameters"]
        if one["name"] == "onInvalid"
    ],
    "a field of an answer comes": lambda d: schema(d, "Onboarding")["properties"].update(
        novelty={"type": "string"}
    ),
    "a field of an answer is always there": lambda d: schema(d, "Onboarding")["required"].append(
        "warnings"
    ),
    "a problem comes": lambda d: operation(d, LIST)["responses"].update(
        {"451": {"description": "A problem."}}
    ),
    "a code of a problem comes": lambda d: operation(d, LIST)["responses"]["400"]["x-codes"].append(
        "Novelty"
    ),
}
WORDS: dict[str, Callable[[Json], Any]] = {
    "a description": lambda d: operation(d, LIST).update(description="Other words."),
    "a title": lambda d: schema(d, "Onboarding").update(title="Other"),
    "a version": lambda d: d["info"].update(version="9.9.9"),
}


def changed(change: Callable[[Json], Any]) -> Json:
    described: Json = copy.deepcopy(COMMITTED)
    change(described)
    return described


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS)
def test_what_breaks_callers_is_told(change: Callable[[Json], Any]) -> None:
    found = changes(COMMITTED, changed(change))
    assert any(one.breaks for one in found), found


@pytest.mark.parametrize("change", ADDS.values(), ids=ADDS)
def test_an_addition_is_no_break(change: Callable[[Json], Any]) -> None:
    found = changes(COMMITTED, changed(change))
    assert found
    assert not any(one.breaks for one in found), found


@pytest.mark.parametrize("change", WORDS.values(), ids=WORDS)
def test_other_words_are_no_change(change: Callable[[Json], Any]) -> None:
    assert changes(COMMITTED, changed(change)) == []


def test_the_command_fails_where_callers_break(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(COMMITTED))
    new.write_text(json.dumps(changed(BREAKS["a parameter goes"])))
    assert main([str(old), str(new)]) == 1
    assert capsys.readouterr().out == (
        "breaking: GET /onboardings parameter status (query) is gone\n1 changes, 1 breaking.\n"
    )
    assert main([str(new), str(old)]) == 0
