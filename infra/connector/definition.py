"""A custom connector for Logic Apps and Power Automate: OpenAPI 2.0, as their designer takes it.

Source: "Create a custom connector with an OpenAPI extension" (Microsoft), for the x-ms- names. The
designer knows neither oneOf nor null, so an identity source is one object with the fields of all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connorg.functions.http.parameters import Schema
from connorg.functions.http.route import Route
from connorg.functions.openapi.document import document

# What a flow maker wants, the first ones first.
_VISIBILITY: Mapping[str, str] = {
    "SubmitOrganization": "important",
    "ReadResult": "important",
    "ReadOnboarding": "important",
    "ListOnboardings": "advanced",
    "ReplayOnboarding": "advanced",
    "CancelOnboarding": "advanced",
    "ListOrganizations": "advanced",
    "ReadOrganization": "advanced",
}
_KEPT = ("type", "format", "enum", "default", "minimum", "maximum", "minLength", "maxLength")


def connector(routes: Sequence[Route]) -> Schema:
    """Make the definition of the connector from the description of the API."""
    described = document(routes)
    schemas: Mapping[str, Schema] = described["components"]["schemas"]
    paths: dict[str, Schema] = {}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            if told["operationId"] in _VISIBILITY:
                paths.setdefault(path, {})[method] = _operation(
                    told, schemas, is_get=method == "get"
                )
    return {
        "swagger": "2.0",
        "info": {
            "title": "connorg",
            "description": described["info"]["summary"],
            "version": described["info"]["version"],
        },
        "host": "your-app.azurewebsites.net",
        "basePath": described["servers"][0]["url"],
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "securityDefinitions": {"key": described["components"]["securitySchemes"]["functionKey"]},
        "security": [{"key": []}],
    }


def _operation(told: Schema, schemas: Mapping[str, Schema], *, is_get: bool) -> Schema:
    parameters = [_parameter(parameter) for parameter in told["parameters"]]
    if "requestBody" in told:
        [content] = told["requestBody"]["content"].values()
        body = {"name": "body", "in": "body", "required": True, "x-ms-summary": "Body"}
        parameters.append({**body, "schema": _simple(content["schema"], schemas)})
    responses = {
        status: _response(answer, schemas)
        for status, answer in told["responses"].items()
        if status.startswith("2")
    }
    failed = {"description": "A problem, which says what to do.", "schema": _problem(schemas)}
    operation = {
        "operationId": told["operationId"],
        "summary": told["summary"],
        "description": told["description"],
        "x-ms-visibility": _VISIBILITY[told["operationId"]],
        "parameters": parameters,
        "responses": {**responses, "default": failed},
    }
    # The generic test calls what it finds: nothing that changes anything.
    return operation if is_get else {**operation, "x-ms-no-generic-test": True}


def _parameter(told: Schema) -> Schema:
    name, is_needed = told["name"], told["required"]
    words = "".join(f" {c}" if c.isupper() else c for c in name.replace("-", ""))
    described = {
        "name": name,
        "in": told["in"],
        "required": is_needed,
        "description": told["description"],
        "x-ms-summary": words.strip().title(),
        "x-ms-visibility": "important" if is_needed else "advanced",
        **_kept(told["schema"]),
    }
    return {**described, "x-ms-url-encoding": "single"} if told["in"] == "path" else described


def _response(told: Schema, schemas: Mapping[str, Schema]) -> Schema:
    response = {"description": told["description"]}
    content = told.get("content", {}).get("application/json")
    if content is None:
        return response
    # Where several models may stand in the body, the first is the one without special wishes.
    schema = content["schema"].get("anyOf", [content["schema"]])[0]
    return {**response, "schema": _simple(schema, schemas)}


def _problem(schemas: Mapping[str, Schema]) -> Schema:
    return _simple(schemas["Problem"], schemas)


def _simple(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """Write a schema in the words of OpenAPI 2.0, without references."""
    schema = _resolved(schema, schemas)
    simple = _kept(schema)
    if "title" in schema:
        simple["x-ms-summary"] = schema["title"]
    if "description" in schema:
        simple["description"] = schema["description"]
    if "const" in schema:
        simple["enum"] = [schema["const"]]
    items = schema.get("items") or next(iter(schema.get("prefixItems", ())), None)
    if items is not None:
        simple["items"] = _simple(items, schemas)
    if "properties" in schema:
        needed = schema.get("required", [])
        simple["properties"] = {
            name: {
                **_simple(told, schemas),
                "x-ms-visibility": "important" if name in needed else "advanced",
            }
            for name, told in schema["properties"].items()
        }
        simple |= {"required": needed} if needed else {}
    return simple


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """Follow a reference, take the one type that is not null, and merge what oneOf lists."""
    if "$ref" in schema:
        beside = {name: told for name, told in schema.items() if name != "$ref"}
        return _resolved({**schemas[schema["$ref"].rpartition("/")[2]], **beside}, schemas)
    if "anyOf" in schema:
        # Of several the last one is the plain one, which the others add to.
        chosen = [told for told in schema["anyOf"] if told.get("type") != "null"][-1]
        beside = {name: told for name, told in schema.items() if name not in {"anyOf", "default"}}
        return _resolved({**chosen, **beside}, schemas)
    if "oneOf" in schema:
        return _merged([_resolved(told, schemas) for told in schema["oneOf"]])
    return schema


def _merged(several: Sequence[Schema]) -> Schema:
    """Make one object with the fields of several; those that all need are needed."""
    properties: dict[str, Schema] = {}
    for schema in several:
        for name, told in schema["properties"].items():
            known = properties.setdefault(name, {**told})
            if "const" in told:
                known.pop("const", None)
                known["enum"] = [*known.get("enum", []), told["const"]]
    needed = [name for name in properties if all(name in s["required"] for s in several)]
    return {
        "type": "object",
        "title": "Identity Source",
        "properties": properties,
        "required": needed,
    }


def _kept(schema: Schema) -> dict[str, Any]:
    return {name: schema[name] for name in _KEPT if schema.get(name) is not None}
