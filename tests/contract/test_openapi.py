"""The description of the API: it tells of each function that is registered, and is valid."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

import function_app
from connorg.contract.requests import OnboardingRequest
from connorg.functions.openapi.document import document
from connorg.functions.openapi.words import EXAMPLES, WORDS
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


def test_the_committed_file_is_what_the_code_makes(described: dict[str, Any]) -> None:
    assert json.loads((ROOT / "docs/openapi.json").read_text()) == described, "run: make openapi"


def test_tools_know_its_words(described: dict[str, Any]) -> None:
    """Of what generators stumble over nothing is left."""
    schemas = described["components"]["schemas"]
    titles = Counter(schema["title"] for schema in schemas.values())
    assert [title for title, count in titles.items() if count > 1] == []
    assert not {"prefixItems", "allOf"} & {*words(described)}
    for operation in operations(described).values():
        [tag] = operation["tags"]
        assert tag in {known["name"] for known in described["tags"]}
        for status, answer in operation["responses"].items():
            if "application/problem+json" in answer.get("content", {}):
                [content] = answer["content"].values()
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, status


# What is said in one dialect of patterns and in no other, or means something else there.
DIALECT = re.compile(r"""\\u|\\[pPAZzbBGQEhHRkdDwW]|\(\?|["'\x00-\x1f]|\\["'@#%:;,<>-]""")


def test_patterns_mean_the_same_in_every_language(described: dict[str, Any]) -> None:
    found = {*patterns(described)}
    assert len(found) > 8
    assert [pattern for pattern in found if DIALECT.search(pattern)] == []


def patterns(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from patterns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns(inner)


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from words(one)


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    validate(json.loads(json.dumps(described)))


def test_nothing_of_connorgs_own_business_is_described(described: dict[str, Any]) -> None:
    onboarding = described["components"]["schemas"]["Onboarding"]
    assert "leaseUntil" not in onboarding["properties"]
    assert "Sponsorship" not in described["components"]["schemas"]  # of sponsors that are left
    assert {*onboarding["required"]} <= {*onboarding["properties"]}


def test_each_operation_has_examples_and_each_is_one(described: dict[str, Any]) -> None:
    """They are recorded: tests/end_to_end/test_examples.py asks for them again."""
    for operation in operations(described).values():
        name = operation["operationId"]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert body is None or valid(body, described), name
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if content is not None and int(status) < 300 and name != "Describe":
                assert valid(content, described), f"{name} {status}"
    problem = described["components"]["schemas"]["Problem"]
    for example in described["components"]["examples"].values():
        validator_of(problem, described).validate(example["value"])


def valid(content: dict[str, Any], described: dict[str, Any]) -> int:
    """Validate the examples of a body; return how many there are."""
    examples = content.get("examples", {})
    for example in examples.values():
        validator_of(content["schema"], described).validate(example["value"])
    return len(examples)


def validator_of(schema: dict[str, Any], described: dict[str, Any]) -> Any:
    whole = {**schema, "components": described["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


def test_each_property_has_a_word_and_an_example(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    properties = [
        (f"{name}.{key}", told)
        for name, schema in schemas.items()
        for key, told in schema.get("properties", {}).items()
    ]
    assert len(properties) > 150
    for place, told in properties:
        assert told["description"].endswith("."), place
        types = {one.get("type") for one in told.get("anyOf", [told])}
        if types & {"string", "integer", "number"} and not {"enum", "const"} & told.keys():
            assert told["examples"], f"say one in EXAMPLES of words.py: {place}"


def test_no_word_is_left_of_what_is_gone(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"].items()
    places = {f"{name}.{key}" for name, schema in schemas for key in schema.get("properties", {})}
    known = places | {place.partition(".")[2] for place in places}
    assert {*WORDS, *EXAMPLES} <= known


def test_enumerations_and_words_come_from_the_models(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["IfExists"]["enum"] == ["return", "fail", "update"]
    properties = schemas["OnboardingRequest"]["properties"]
    assert properties.keys() == {f.alias for f in OnboardingRequest.model_fields.values()}
    assert properties["displayName"]["title"] == "Display Name"
    assert properties["displayName"]["maxLength"] == 256
    for operation in operations(described).values():
        assert operation["summary"]
        assert operation["description"].endswith(".")
