"""The description of the API: it tells of each function that is registered, and is valid."""

import json
import subprocess
import sys
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

import function_app
from connorg.contract.requests import OnboardingRequest
from connorg.functions.openapi.document import document
from connorg.functions.openapi.operations import EXAMPLE
from infra.local.child import ROOT

INDEX = """
import asyncio, json
from pathlib import Path
from infra.local.functions_host.definition import define
from infra.local.functions_host.worker import index
functions = map(define, asyncio.run(index(Path.cwd())))
print(json.dumps([[f.name, f.trigger] for f in functions], default=str))
"""


@pytest.fixture(scope="module")
def triggers() -> dict[str, dict[str, Any]]:
    """The HTTP triggers as Microsoft's worker indexes them, by the function's name."""
    run = [sys.executable, "-c", INDEX]
    told = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    functions = json.loads(told.splitlines()[-1])
    return {name: trigger for name, trigger in functions if trigger["type"] == "httpTrigger"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(function_app.routes)


def operations(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def test_every_indexed_function_is_described_and_nothing_else(
    triggers: dict[str, dict[str, Any]], described: dict[str, Any]
) -> None:
    indexed = {
        (method.upper(), f"/{trigger['route']}"): name
        for name, trigger in triggers.items()
        for method in trigger["methods"]
    }
    assert len(indexed) > 10
    told = {which: operation["operationId"] for which, operation in operations(described).items()}
    assert told == indexed


def test_a_key_is_described_where_the_host_asks_for_one(
    triggers: dict[str, dict[str, Any]], described: dict[str, Any]
) -> None:
    for operation in operations(described).values():
        level = triggers[operation["operationId"]]["authLevel"].lower()
        assert bool(operation["security"]) is (level != "anonymous"), operation["operationId"]


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    validate(json.loads(json.dumps(described)))


def test_nothing_of_connorgs_own_business_is_described(described: dict[str, Any]) -> None:
    onboarding = described["components"]["schemas"]["Onboarding"]
    assert "leaseUntil" not in onboarding["properties"]
    assert "Sponsorship" not in described["components"]["schemas"]  # of sponsors that are left
    assert {*onboarding["required"]} <= {*onboarding["properties"]}


def test_the_example_is_one(described: dict[str, Any]) -> None:
    body = described["paths"]["/connected-organizations"]["post"]["requestBody"]
    [content] = body["content"].values()
    assert content["examples"]["usual"]["value"] == EXAMPLE
    OnboardingRequest.model_validate_json(json.dumps(EXAMPLE), by_alias=True, by_name=False)
    schema = {**content["schema"], "components": described["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(EXAMPLE)


def test_enumerations_and_words_come_from_the_models(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["IfExists"]["enum"] == ["return", "fail", "update"]
    properties = schemas["OnboardingRequest-Input"]["properties"]
    assert properties.keys() == {f.alias for f in OnboardingRequest.model_fields.values()}
    assert properties["displayName"]["title"] == "Display Name"
    assert properties["displayName"]["maxLength"] == 256
    for operation in operations(described).values():
        assert operation["summary"]
        assert operation["description"].endswith(".")
