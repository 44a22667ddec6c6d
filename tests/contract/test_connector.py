"""The committed custom connector: it is what the code makes, valid, and fit for the designer."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from openapi_spec_validator import OpenAPIV2SpecValidator

import function_app
from connorg.functions.openapi.examples import request_of
from infra.connector.definition import connector
from infra.local.child import ROOT

EXAMPLE = request_of("SubmitOrganization")
COMMITTED = json.loads((ROOT / "infra/logic-apps/connector.json").read_text())
OPERATIONS = {
    told["operationId"]: told for path in COMMITTED["paths"].values() for told in path.values()
}


def test_the_committed_file_is_what_the_code_makes() -> None:
    made = json.loads(json.dumps(connector(function_app.routes)))
    assert made == COMMITTED, "run: make connector"


def test_it_is_a_valid_definition_in_openapi_2() -> None:
    OpenAPIV2SpecValidator(COMMITTED).validate()


def test_it_has_what_a_flow_maker_wants() -> None:
    assert {*OPERATIONS} == {
        "SubmitOrganization",
        "ReadResult",
        "ReadOnboarding",
        "ListOnboardings",
        "ReplayOnboarding",
        "CancelOnboarding",
        "ListOrganizations",
        "ReadOrganization",
    }


def test_the_designer_has_a_name_and_a_place_for_everything() -> None:
    for name, told in OPERATIONS.items():
        assert told["x-ms-visibility"] in {"important", "advanced"}, name
        assert all(parameter["x-ms-summary"] for parameter in told["parameters"]), name
        successes = [answer for status, answer in told["responses"].items() if status != "default"]
        assert all(resolved(answer["schema"])["properties"] for answer in successes), name


def test_an_object_is_defined_once_and_referred_to() -> None:
    """So that a client has one model of it, and not one for each operation."""
    for told in OPERATIONS.values():
        assert "properties" not in {*words(told)}, told["operationId"]
    texts = [json.dumps(schema["properties"]) for schema in COMMITTED["definitions"].values()]
    assert len(texts) == len({*texts})
    referred = set(re.findall(r"#/definitions/(\w+)", json.dumps(COMMITTED)))
    assert referred == COMMITTED["definitions"].keys()


def test_its_formats_are_those_that_makers_of_clients_know() -> None:
    assert set(re.findall(r'"format": "([^"]+)"', json.dumps(COMMITTED))) == {"date-time", "uuid"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = COMMITTED["definitions"][schema["$ref"].rpartition("/")[2]]
    return found


def test_it_has_no_word_that_the_designer_does_not_know() -> None:
    known_to_openapi_3_alone = {"oneOf", "anyOf", "const", "prefixItems", "$defs", "examples"}
    assert not {*words(COMMITTED)} & known_to_openapi_3_alone


def test_a_submit_answers_one_shape_whichever_status_it_has() -> None:
    responses = OPERATIONS["SubmitOrganization"]["responses"]
    assert responses["200"]["schema"] == responses["202"]["schema"]


def test_the_bodys_schema_takes_a_body() -> None:
    [body] = [p for p in OPERATIONS["SubmitOrganization"]["parameters"] if p["in"] == "body"]
    schema = {**body["schema"], "definitions": COMMITTED["definitions"]}
    validator = jsonschema_rs.Draft4Validator(schema)
    validator.validate(EXAMPLE)
    assert not validator.is_valid({**EXAMPLE, "identitySources": [{"domainName": "contoso.com"}]})


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
