"""The OpenAPI 3.1 document, made from the registered routes and the models of the contract."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import TupleSchema, WithDefaultSchema

from connorg.contract.model import Model
from connorg.contract.onboarding import OnboardingView
from connorg.contract.problems import Problem, ProblemKind
from connorg.contract.release import RELEASE
from connorg.functions.http.addresses import PREFIX
from connorg.functions.http.parameters import Parameter, Schema, taken_by
from connorg.functions.http.route import Route
from connorg.functions.openapi.examples import answers_of, problems, request_of, values
from connorg.functions.openapi.operations import OPERATIONS
from connorg.functions.openapi.parts import (
    ANYWHERE,
    OTHER_TAG,
    PATH,
    TAGS,
    WITH_A_ROLE,
    Answer,
    ListOf,
    Operation,
    PathParameter,
)
from connorg.functions.openapi.words import EXAMPLES, WORDS

_HEADERS: dict[str, Schema] = {
    "Location": {"description": "Where its result is. A poller needs no key."},
    "Operation-Location": {"description": "Where its status is."},
    "Retry-After": {"description": "Seconds to wait before the next look.", "type": "integer"},
    "Connorg-Step": {
        "description": "What was done, in the words of the history: accepted, joined, created,"
        " existing, updated, replayed, canceled, deleted, sponsor added or removed."
    },
    "ETag": {"description": "Names the version, for If-Match."},
    "Link": {"description": "The next page of a CSV."},
    "Preference-Applied": {"description": "What was made of Prefer."},
    "x-ms-error-code": {"description": "The problem's code."},
}
_SECURITY: dict[str, Schema] = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "A function key; what deletes or erases takes the master key."
        " The host reads it from the parameter `code` too.",
    },
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An Entra token for this app, whose caller has the app role.",
    },
}
_POINTERS = ("Location", "Operation-Location")
_WITH_RETRY_AFTER = (ProblemKind.STORAGE_UNAVAILABLE, ProblemKind.GRAPH_UNAVAILABLE)
_SOURCE_TYPE = "@odata.type"
_SIZES = {"minItems": 1, "maxItems": 5_000}
# What callers know by another name than the code does.
_NAMES = {OnboardingView.__name__: "Onboarding"}
# A model that is taken and answered differently has two schemas.
_RENAMED = {
    "OnboardingRequest-Input": "OnboardingRequest",
    "OnboardingRequest-Output": "KeptRequest",
}
_DESCRIPTION = (
    "Connects partner organizations to Microsoft Entra, exactly once: a request may be sent as"
    " often as its sender likes.\n\n"
    "An error is a problem (RFC 9457) whose `code` is stable; `action` says what to do. A request"
    " that is not done yet is answered 202 with `Location`, which needs no key. A parameter that an"
    " operation does not know is refused: 400 `InvalidParameter`."
)
_EXAMPLE_OF = "#/components/examples/{}"
_FILES = ("text/csv", "application/x-ndjson")
type _Mode = Literal["validation", "serialization"]


def document(routes: Sequence[Route]) -> Schema:
    """Describe the routes.

    Raise LookupError for one of which nothing is said; its text names the file where it is missing.
    """
    schemas = _Schemas(_operation_of(route) for route in routes)
    paths: dict[str, Schema] = {}
    for route in routes:
        path = paths.setdefault(f"/{route.path}", {})
        path[route.method.lower()] = _operation(route, _operation_of(route), schemas)
    described: Schema = {
        "openapi": "3.1.0",
        "info": {
            "title": "connorg",
            "version": RELEASE,
            "summary": "Connects partner organizations to Microsoft Entra, exactly once.",
            "description": _DESCRIPTION,
            "contact": {"name": "The operators of this app"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"/{PREFIX}", "description": "The app that serves this document."}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "examples": problems(),
            "securitySchemes": _SECURITY,
        },
    }
    described = _renamed(described)
    _explain(described)
    return described


def _explain(described: Schema) -> None:
    """Say of each property what it means, with an example.

    Raise LookupError for one of which nothing is said; its text names the file where it is missing.
    """
    found = values(described)
    for name, schema in described["components"]["schemas"].items():
        for key, told in schema.get("properties", {}).items():
            place = f"{name}.{key}"
            if "description" not in told:
                told["description"] = _word(place, key)
            example = EXAMPLES.get(place, found.get(place, EXAMPLES.get(key)))
            if example is not None and "$ref" not in told:
                told["examples"] = [example]


def _word(place: str, key: str) -> str:
    word = WORDS.get(place) or WORDS.get(key)
    if word is None:
        raise LookupError(
            f"Nothing is said of the property {place}: add it to WORDS in"
            " connorg/functions/openapi/words.py."
        )
    return word


def _renamed(described: Schema) -> Schema:
    text = json.dumps(described, ensure_ascii=False)
    for name, known in _RENAMED.items():
        text = text.replace(f'{name}"', f'{known}"')
    return dict(json.loads(text))


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


def _tag_of(route: Route) -> tuple[str, str]:
    return TAGS.get(route.path.split("/")[0], OTHER_TAG)


def _tags(routes: Sequence[Route]) -> list[Schema]:
    tags = dict(map(_tag_of, routes))
    return [{"name": name, "description": description} for name, description in tags.items()]


class _Generator(GenerateJsonSchema):
    def normalize_name(self, name: str) -> str:
        return super().normalize_name(_NAMES.get(name, name))

    def tuple_schema(self, schema: TupleSchema) -> Schema:
        """Write an array of exactly one as `items` with bounds, which more tools know."""
        made = super().tuple_schema(schema)
        match made.pop("prefixItems", None):
            case [only]:
                made["items"] = only
            case None:
                pass
            case several:
                made["prefixItems"] = several
        return made

    def default_schema(self, schema: WithDefaultSchema) -> Schema:
        """Leave out a default of null: it says no more than that a property may be missing."""
        made = super().default_schema(schema)
        if made.get("default", "") is None:
            del made["default"]
        return made


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
        for schema in tuple(self.all.values()):
            self._name_the_union(schema.get("properties", {}).get("identitySources", {}))
        for name, schema in self.all.items():
            schema["title"] = name

    def _name_the_union(self, sources: Schema) -> None:
        """Make a schema of its own for the union of identity sources, with a discriminator.

        Pydantic has no name for a union, and none for what its own function tells apart.
        """
        union = sources.get("items", {})
        if "oneOf" not in union:
            return
        names = [one["$ref"].rpartition("/")[2] for one in union["oneOf"]]
        mapping = {
            self.all[name]["properties"][_SOURCE_TYPE]["const"]: f"#/components/schemas/{name}"
            for name in names
        }
        discriminator = {"propertyName": _SOURCE_TYPE, "mapping": mapping}
        self.all["IdentitySource"] = {"oneOf": union["oneOf"], "discriminator": discriminator}
        sources["items"] = {"$ref": "#/components/schemas/IdentitySource"}

    def taken(self, model: type[Model]) -> Schema:
        return self._references[model, "validation"]

    def answered(self, model: type[Model] | ListOf) -> Schema:
        if not isinstance(model, ListOf):
            return self._references[model, "serialization"]
        reference = self.answered(model.of)
        name = reference["$ref"].rpartition("/")[2] + ("Page" if model.is_continued else "List")
        items = {"type": "array", "items": reference}
        page: Schema = {"type": "object", "properties": {"value": items}, "required": ["value"]}
        if model.is_continued:
            page["properties"] |= {
                "nextLink": {"type": "string", "title": "Next Link"},
                "continuationToken": {"type": "string", "title": "Continuation Token"},
            }
        self.all[name] = {"title": name, **page, "additionalProperties": False}
        return {"$ref": f"#/components/schemas/{name}"}


def _operation(route: Route, described: Operation, schemas: _Schemas) -> Schema:
    taken = taken_by(route.handler)
    operation: Schema = {
        "operationId": route.name,
        "tags": [_tag_of(route)[0]],
        "summary": described.summary,
        "description": described.description,
        "parameters": [
            *(_in_path(name, _path_parameter(name, route)) for name in route.parameters),
            *map(_parameter, taken or ()),
        ],
        "responses": {
            str(status): _answer(answer, schemas, answers_of(route.name, status))
            for status, answer in described.answers.items()
        },
        "security": [],
    }
    problems = (*described.problems, *ANYWHERE)
    if taken is not None:
        problems += (ProblemKind.INVALID_PARAMETER,)
    if route.role is not None:
        problems += WITH_A_ROLE
        operation["security"] = [
            {"functionKey": []},
            {"entra": [route.role.value]},
        ]
    operation["responses"] |= _problems(problems, schemas)
    if described.takes_any:
        operation["requestBody"] = {"content": {"application/json": {"schema": {}}}}
    if described.request:
        operation["requestBody"] = _body(described, schemas)
    if (example := request_of(route.name)) is not None:
        content = operation["requestBody"]["content"]["application/json"]
        content["examples"] = {"usual": {"value": example}}
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
    is_required = not described.is_optional
    return {"required": is_required, "content": {"application/json": content, **others}}


def _answer(answer: Answer, schemas: _Schemas, examples: Mapping[str, Any]) -> Schema:
    described: Schema = {
        "description": answer.description,
        "headers": _headers(answer.headers, answer.more_headers),
    }
    bodies: dict[str, Schema] = {name: {"type": "string"} for name in answer.media_types}
    if answer.models:
        bodies["application/json"] = _any_of([schemas.answered(m) for m in answer.models])
    else:
        bodies.pop("application/json", None)
    if bodies:
        described["content"] = {name: {"schema": schema} for name, schema in bodies.items()}
    if examples:
        described["content"]["application/json"]["examples"] = examples
    return described


def _problems(kinds: Iterable[ProblemKind], schemas: _Schemas) -> dict[str, Schema]:
    by_status = groupby(sorted(kinds, key=_status), key=_status)
    return {str(status): _problem([*several], schemas) for status, several in by_status}


def _status(kind: ProblemKind) -> int:
    return kind.status


def _problem(kinds: Sequence[ProblemKind], schemas: _Schemas) -> Schema:
    codes = [kind.code for kind in kinds]
    content: Schema = {"schema": schemas.answered(Problem)}
    if examples := {code: _EXAMPLE_OF.format(code) for code in codes if code in problems()}:
        content["examples"] = {code: {"$ref": place} for code, place in examples.items()}
    headers = ["x-ms-error-code"]
    headers += ["Retry-After"] if kinds[0] in _WITH_RETRY_AFTER else []
    more = [*_POINTERS] if ProblemKind.ONBOARDING_FAILED in kinds else []
    more += ["ETag"] if ProblemKind.PRECONDITION_FAILED in kinds else []
    is_host_too = ProblemKind.UNAUTHENTICATED in kinds
    return {
        "description": f"A problem: {', '.join(codes)}."
        + (" For a wrong key it is the host's answer, without a body." if is_host_too else ""),
        "headers": _headers([], headers) if is_host_too else _headers(headers, more),
        "content": {"application/problem+json": content},
        # The code of a failed onboarding is that of its failure.
        "x-codes": ["*"] if ProblemKind.ONBOARDING_FAILED in kinds else codes,
    }


def _headers(always: Iterable[str], sometimes: Iterable[str] = ()) -> Schema:
    optional = {name: _header(name) for name in sometimes}
    return optional | {name: {**_header(name), "required": True} for name in always}


def _header(name: str) -> Schema:
    described = _HEADERS[name]
    return {
        "description": described["description"],
        "schema": {"type": described.get("type", "string")},
    }


def _any_of(schemas: Sequence[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}
