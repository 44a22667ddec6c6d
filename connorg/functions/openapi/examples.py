"""Examples: real answers, recorded by tests/end_to_end/test_examples.py, and the values in them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

type Json = Mapping[str, Any]

_RECORDED: Json = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def request_of(operation: str) -> Any:
    """Return a body that the operation takes; None: none is recorded."""
    return _RECORDED["requests"].get(operation)


def answers_of(operation: str, status: int) -> Json:
    """Return bodies that the operation answers with a status, each by a word for it."""
    answers: Json = _RECORDED["answers"].get(operation, {})
    return {name: {"value": body} for name, body in answers.get(str(status), {}).items()}


def problems() -> Json:
    """Return a problem for each code that is recorded."""
    return {code: {"value": body} for code, body in sorted(_RECORDED["problems"].items())}


def values(described: Json) -> dict[str, Any]:
    """Return a value for each property that occurs in an example: `Onboarding.reference`."""
    schemas: Json = described["components"]["schemas"]
    found: dict[str, Any] = {}
    for schema, body in _bodies(described):
        for place, value in _scalars(schema, body, schemas, ""):
            found.setdefault(place, value)
    return found


def _bodies(described: Json) -> Iterator[tuple[Json, Any]]:
    for methods in described["paths"].values():
        for operation in methods.values():
            parts = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (part.get("content", {}).get("application/json", {}) for part in parts):
                for example in content.get("examples", {}).values():
                    yield content["schema"], example["value"]
    for example in described["components"]["examples"].values():
        yield described["components"]["schemas"]["Problem"], example["value"]


def _scalars(schema: Json, value: Any, schemas: Json, name: str) -> Iterator[tuple[str, Any]]:
    for plain, known in _alternatives(schema, schemas, name):
        if isinstance(value, list):
            for one in value:
                yield from _scalars(plain.get("items", {}), one, schemas, "")
        elif isinstance(value, dict) and value.keys() <= plain.get("properties", {}).keys():
            for key, inner in value.items():
                if isinstance(inner, str | int | float):
                    yield f"{known}.{key}", inner
                yield from _scalars(plain["properties"][key], inner, schemas, "")


def _alternatives(schema: Json, schemas: Json, name: str) -> Iterator[tuple[Json, str]]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = schemas[name]
    several = schema.get("anyOf") or schema.get("oneOf")
    if several is None:
        yield schema, name or str(schema.get("title", ""))
        return
    for one in several:
        yield from _alternatives(one, schemas, name)
