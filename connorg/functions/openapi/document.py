"""The OpenAPI 3.1 document, made from the registered routes and the models of the contract."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from connorg.contract.model import Model
from connorg.contract.onboarding import OnboardingView
from connorg.contract.problems import Problem, ProblemKind
from connorg.contract.release import RELEASE
from connorg.functions.http.addresses import PREFIX
from connorg.functions.http.parameters import Parameter, Schema, taken_by
from connorg.functions.http.route import Route
from connorg.functions.openapi.operations import OPERATIONS
from connorg.functions.openapi.parts import (
    ANYWHERE,
    PATH,
    WITH_A_ROLE,
    Answer,
    ListOf,
    Operation,
    PathParameter,
)

_HEADERS: dict[str, Schema] = {
    "Location": {"description": "Where its result is. A poller needs no key."},
    "Operation-Location": {"description": "Where its status is."},
    "Retry-After": {"description": "Seconds to wait before the next look.", "type": "integer"},
    "ETag": {"description": "Names the version, for If-Match."},
    "Link": {"description": "The next page of a CSV."},
    "Preference-Applied": {"description": "What was made of Prefer."},
    "x-ms-error-code": {"description": "The problem's code."},
}
_SECURITY: dict[str, Schema] = {
    "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "functionKeyInQuery": {"type": "apiKey", "in": "query", "name": "code"},
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An Entra token for this app, whose caller has the app role.",
    },
}
_WITH_RETRY_AFTER = (ProblemKind.STORAGE_UNAVAILABLE, ProblemKind.GRAPH_UNAVAILABLE)
_SIZES = {"minItems": 1, "maxItems": 5_000}
# What callers know by another name than the code does.
_NAMES = {OnboardingView.__name__: "Onboarding"}
_FILES = ("text/csv", "application/x-ndjson")
type _Mode = Literal["validation", "serialization"]


def document(routes: Sequence[Route]) -> Schema:
    """Describe the routes.

    Raises LookupError for one of which nothing is said; its text names the file that lacks it.
    """
    schemas = _Schemas(_operation_of(route) for route in routes)
    paths: dict[str, Schema] = {}
    for route in routes:
        path = paths.setdefault(f"/{route.path}", {})
        path[route.method.lower()] = _operation(route, _operation_of(route), schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "connorg",
            "version": RELEASE,
            "summary": "Connects partner organizations to Microsoft Entra, exactly once.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"/{PREFIX}"}],
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "headers": {name: _header(name) for name in _HEADERS},
            "securitySchemes": _SECURITY,
        },
    }


def _operation_of(route: Route) -> Operation:
    operation = OPERATIONS.get(route.name)
    if operation is None:
        raise LookupError(
            f"Nothing is said of the function {route.name}: add it to OPERATIONS in"
            " connorg/functions/openapi/operations.py."
        )
    return operation


def _path_parameter(name: str, route: Route) -> PathParameter:
    parameter = PATH.get(name)
    if parameter is None:
        raise LookupError(
            f"Nothing is said of {{{name}}} in {route.path}: add it to PATH in"
            " connorg/functions/openapi/parts.py."
        )
    return parameter


class _Generator(GenerateJsonSchema):
    def normalize_name(self, name: str) -> str:
        return super().normalize_name(_NAMES.get(name, name))


class _Schemas:
    """The models' schemas, and references to them."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        pairs: list[tuple[type[Model], _Mode]] = [(Problem, "serialization")]
        for operation in operations:
            pairs += [(model, "validation") for model in operation.request]
            for answer in operation.answers.values():
                models = (m.of if isinstance(m, ListOf) else m for m in answer.models)
                pairs += [(model, "serialization") for model in models]
        self._references, schemas = models_json_schema(
            list(dict.fromkeys(pairs)),
            ref_template="#/components/schemas/{model}",
            schema_generator=_Generator,
        )
        self.all: dict[str, Schema] = schemas["$defs"]

    def taken(self, model: type[Model]) -> Schema:
        return self._references[model, "validation"]

    def answered(self, model: type[Model] | ListOf) -> Schema:
        if not isinstance(model, ListOf):
            return self._references[model, "serialization"]
        items = {"type": "array", "items": self.answered(model.of)}
        page: Schema = {"type": "object", "properties": {"value": items}, "required": ["value"]}
        if model.is_continued:
            page["properties"] |= {
                "nextLink": {"type": "string", "title": "Next Link"},
                "continuationToken": {"type": "string", "title": "Continuation Token"},
            }
        return {**page, "additionalProperties": False}


def _operation(route: Route, described: Operation, schemas: _Schemas) -> Schema:
    taken = taken_by(route.handler)
    operation: Schema = {
        "operationId": route.name,
        "summary": described.summary,
        "description": described.description,
        "parameters": [
            *(_in_path(name, _path_parameter(name, route)) for name in route.parameters),
            *map(_parameter, taken or ()),
        ],
        "responses": {str(status): _answer(a, schemas) for status, a in described.answers.items()},
        "security": [],
    }
    problems = (*described.problems, *ANYWHERE)
    if taken is not None:
        problems += (ProblemKind.INVALID_PARAMETER,)
    if route.role is not None:
        problems += WITH_A_ROLE
        operation["security"] = [
            {"functionKey": []},
            {"functionKeyInQuery": []},
            {"entra": [route.role.value]},
        ]
    operation["responses"] |= _problems(problems, schemas)
    if described.takes_any:
        operation["requestBody"] = {"content": {"application/json": {"schema": {}}}}
    if described.request:
        operation["requestBody"] = _body(described, schemas)
    return operation


def _in_path(name: str, parameter: PathParameter) -> Schema:
    return {
        "name": name,
        "in": "path",
        "description": parameter.description,
        "required": True,
        "schema": parameter.schema,
    }


def _parameter(parameter: Parameter[Any]) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": False,
        "schema": parameter.schema,
    }


def _body(described: Operation, schemas: _Schemas) -> Schema:
    content: Schema = {"schema": _any_of([schemas.taken(model) for model in described.request])}
    others: dict[str, Schema] = {}
    if described.takes_many:
        content["schema"] = {"type": "array", "items": content["schema"], **_SIZES}
        others = {name: {"schema": {"type": "string"}} for name in _FILES}
    if described.example is not None:
        content["examples"] = {"usual": {"value": described.example}}
    is_required = not described.is_optional
    return {"required": is_required, "content": {"application/json": content, **others}}


def _answer(answer: Answer, schemas: _Schemas) -> Schema:
    described: Schema = {
        "description": answer.description,
        "headers": _headers(answer.headers, answer.more_headers),
    }
    if answer.models:
        schema = _any_of([schemas.answered(model) for model in answer.models])
        text: Schema = {"type": "string"}
        described["content"] = {
            media_type: {"schema": schema if media_type == "application/json" else text}
            for media_type in answer.media_types
        }
    return described


def _problems(kinds: Iterable[ProblemKind], schemas: _Schemas) -> dict[str, Schema]:
    by_status = groupby(sorted(kinds, key=_status), key=_status)
    return {str(status): _problem([*several], schemas) for status, several in by_status}


def _status(kind: ProblemKind) -> int:
    return kind.status


def _problem(kinds: Sequence[ProblemKind], schemas: _Schemas) -> Schema:
    schema = schemas.answered(Problem)
    codes = [kind.code for kind in kinds]
    if ProblemKind.ONBOARDING_FAILED not in kinds:  # that one has the code of its failure
        schema = {"allOf": [schema, {"properties": {"code": {"enum": codes}}}]}
    headers = ["x-ms-error-code"]
    headers += ["Retry-After"] if kinds[0] in _WITH_RETRY_AFTER else []
    more = ["Location", "Operation-Location"] if ProblemKind.ONBOARDING_FAILED in kinds else []
    more += ["ETag"] if ProblemKind.PRECONDITION_FAILED in kinds else []
    is_host_too = ProblemKind.UNAUTHENTICATED in kinds
    return {
        "description": f"A problem: {', '.join(codes)}."
        + (" For a wrong key it is the host's answer, without a body." if is_host_too else ""),
        "headers": _headers([], headers) if is_host_too else _headers(headers, more),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _headers(always: Iterable[str], sometimes: Iterable[str] = ()) -> Schema:
    optional = {name: {"$ref": f"#/components/headers/{name}"} for name in sometimes}
    return optional | {name: {**_header(name), "required": True} for name in always}


def _header(name: str) -> Schema:
    described = _HEADERS[name]
    return {
        "description": described["description"],
        "schema": {"type": described.get("type", "string")},
    }


def _any_of(schemas: Sequence[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}
