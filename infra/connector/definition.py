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
_SOURCE = "IdentitySource"
_FORMATS = {"date-time", "uuid"}  # of those that occur, what makers of clients know
_KEPT = ("type", "enum", "default", "minimum", "maximum", "minLength", "maxLength")


def connector(routes: Sequence[Route]) -> Schema:
    """Make the definition of the connector from the description of the API."""
    described = document(routes)
    definitions = _Definitions(described["components"]["schemas"])
    paths: dict[str, Schema] = {}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            if told["operationId"] in _VISIBILITY:
                paths.setdefault(path, {})[method] = _operation(
                    told, definitions, is_get=method == "get"
                )
    return {
        "swagger": "2.0",
        "info": {
            "title": "connorg",
            "description": described["info"]["summary"],
            "version": described["info"]["version"],
            "contact": described["info"]["contact"],
        },
        "host": "your-app.azurewebsites.net",
        "basePath": described["servers"][0]["url"],
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": definitions.all,
        "securityDefinitions": {"key": described["components"]["securitySchemes"]["functionKey"]},
        "security": [{"key": []}],
        "tags": [
            tag
            for tag in described["tags"]
            if any(tag["name"] in told["tags"] for path in paths.values() for told in path.values())
        ],
    }


def _operation(told: Schema, definitions: "_Definitions", *, is_get: bool) -> Schema:
    parameters = [_parameter(parameter) for parameter in told["parameters"]]
    if "requestBody" in told:
        [content] = told["requestBody"]["content"].values()
        body = {"name": "body", "in": "body", "required": True, "x-ms-summary": "Body"}
        parameters.append({**body, "schema": definitions.of(content["schema"])})
    responses = {
        status: _response(answer, definitions)
        for status, answer in told["responses"].items()
        if status.startswith("2")
    }
    failed = {
        "description": "A problem, which says what to do.",
        "schema": definitions.of({"$ref": "#/components/schemas/Problem"}),
    }
    operation = {
        "operationId": told["operationId"],
        "tags": told["tags"],
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


def _response(told: Schema, definitions: "_Definitions") -> Schema:
    response = {"description": told["description"]}
    content = told.get("content", {}).get("application/json")
    if content is None:
        return response
    # If the body may be one of several models, the first is the one for usual calls.
    schema = content["schema"].get("anyOf", [content["schema"]])[0]
    return {**response, "schema": definitions.of(schema)}


class _Definitions:
    """The objects that operations refer to, in the words of OpenAPI 2.0."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas
        self.all: dict[str, Schema] = {}

    def of(self, schema: Schema) -> Schema:
        """Return a schema in those words: a reference to an object, all else in full."""
        told = self._plain(schema)
        if "$ref" in told:
            name = told["$ref"].rpartition("/")[2]
            if "properties" in self._schemas[name]:
                if name not in self.all:
                    self.all[name] = {}  # its place, before those that it refers to
                    self.all[name] = self._in_full(self._schemas[name])
                return {"$ref": f"#/definitions/{name}"}
            beside = {key: value for key, value in told.items() if key != "$ref"}
            told = self._plain({**self._schemas[name], **beside})
        if "oneOf" in told:
            self.all.setdefault(_SOURCE, self._in_full(self._merged(told["oneOf"])))
            return {"$ref": f"#/definitions/{_SOURCE}"}
        return self._in_full(told)

    def _plain(self, schema: Schema) -> Schema:
        """Take the one type that is not null; of several the plain one, which is the last."""
        if "anyOf" not in schema:
            return schema
        chosen = [told for told in schema["anyOf"] if told.get("type") != "null"][-1]
        beside = {name: told for name, told in schema.items() if name not in {"anyOf", "default"}}
        return {**chosen, **beside}

    def _in_full(self, schema: Schema) -> Schema:
        simple = _kept(schema)
        if "title" in schema:
            simple["x-ms-summary"] = schema["title"]
        if "description" in schema:
            simple["description"] = schema["description"]
        if "const" in schema:
            simple["enum"] = [schema["const"]]
        if "items" in schema:
            simple["items"] = self.of(schema["items"])
        if "properties" in schema:
            needed = schema.get("required", [])
            simple["properties"] = {
                name: _seen(self.of(told), is_needed=name in needed)
                for name, told in schema["properties"].items()
            }
            simple |= {"required": needed} if needed else {}
        return simple

    def _merged(self, several: Sequence[Schema]) -> Schema:
        """Make one object with the fields of several; those that all need are needed."""
        schemas = [self._schemas[one["$ref"].rpartition("/")[2]] for one in several]
        properties: dict[str, Schema] = {}
        for schema in schemas:
            for name, told in schema["properties"].items():
                known = properties.setdefault(name, {**told})
                if "const" in told:
                    known.pop("const", None)
                    known["enum"] = [*known.get("enum", []), told["const"]]
        needed = [name for name in properties if all(name in s["required"] for s in schemas)]
        return {
            "type": "object",
            "title": "Identity Source",
            "properties": properties,
            "required": needed,
        }


def _seen(schema: Schema, *, is_needed: bool) -> Schema:
    """Say where the designer shows a property. Nothing else may be beside a reference."""
    visibility = "important" if is_needed else "advanced"
    return schema if "$ref" in schema else {**schema, "x-ms-visibility": visibility}


def _kept(schema: Schema) -> dict[str, Any]:
    kept = {name: schema[name] for name in _KEPT if schema.get(name) is not None}
    return kept | {"format": schema["format"]} if schema.get("format") in _FORMATS else kept
