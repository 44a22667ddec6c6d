"""Whether a resource fits its published type. Where the types are from: schemas/README.md."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from infra.bicep.deploying import Resource
from infra.bicep.values import Symbol, Unknown, Value, type_of

SCHEMAS = Path(__file__).parent / "schemas"

REQUIRED, READ_ONLY = 1, 2
# Bicep's own words in the body of a resource.
_BICEPS_OWN = {"parent", "scope", "dependsOn"}
_PLAIN = {"StringType": "string", "IntegerType": "int", "BooleanType": "bool"}


def file_of(kind: str) -> Path:
    return SCHEMAS / f"{kind.replace('/', '.')}.json"


def faults(resource: Resource) -> list[str]:
    """Say what is unknown, missing, read-only or of another type, and where."""
    types = _Types(json.loads(_text(file_of(resource.kind))))
    body = {key: value for key, value in resource.body.items() if key not in _BICEPS_OWN}
    return list(types.faults(body, types.resolve(types.records[0]["body"]), ""))


@cache
def _text(path: Path) -> str:
    return path.read_text()


@dataclass(frozen=True)
class _Types:
    records: list[dict[str, Any]]

    def resolve(self, reference: dict[str, str]) -> dict[str, Any]:
        return self.records[int(reference["$ref"].removeprefix("#/"))]

    def faults(self, value: Value, wanted: dict[str, Any], place: str) -> Iterator[str]:
        kind = wanted["$type"]
        if isinstance(value, Unknown) and value.type_name == "any":
            return
        if value is None or kind == "AnyType":  # null leaves a property out
            return
        if kind == "UnionType":
            yield from self._union(value, wanted, place)
        elif kind == "StringLiteralType":
            if not isinstance(value, Unknown) and value != wanted["value"]:
                yield f"{place}: {value!r} is not {wanted['value']!r}"
        elif kind in _PLAIN:
            yield from _plain(value, wanted, place)
        elif kind == "ArrayType":
            yield from self._array(value, wanted, place)
        else:
            yield from self._object(value, wanted, place)

    def _union(self, value: Value, wanted: dict[str, Any], place: str) -> Iterator[str]:
        choices = [self.resolve(element) for element in wanted["elements"]]
        if all(any(self.faults(value, choice, place)) for choice in choices):
            names = ", ".join(str(choice.get("value", choice["$type"])) for choice in choices)
            yield f"{place}: {value!r} is none of {names}"

    def _array(self, value: Value, wanted: dict[str, Any], place: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no array"
            return
        item_type = self.resolve(wanted["itemType"])
        for i, item in enumerate(value):
            yield from self.faults(item, item_type, f"{place}/{i}")

    def _object(self, value: Value, wanted: dict[str, Any], place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no object"
            return
        if wanted["$type"] == "DiscriminatedObjectType":
            chosen = wanted["elements"].get(value.get(wanted["discriminator"]))
            if chosen is None:
                yield f"{place}/{wanted['discriminator']}: not known"
                return
            base, wanted = wanted["baseProperties"], self.resolve(chosen)
        else:
            base = {}
        yield from self._properties(value, wanted, base | wanted["properties"], place)

    def _properties(
        self, value: Value, wanted: dict[str, Any], known: dict[str, Any], place: str
    ) -> Iterator[str]:
        others = wanted.get("additionalProperties")
        for name, item in value.items():
            if name in known:
                if known[name]["flags"] & READ_ONLY:
                    yield f"{place}/{name}: is read-only"
                yield from self.faults(item, self.resolve(known[name]["type"]), f"{place}/{name}")
            elif others is None:
                yield f"{place}/{name}: is unknown"
            else:
                yield from self.faults(item, self.resolve(others), f"{place}/{name}")
        for name, described in known.items():
            if described["flags"] & REQUIRED and value.get(name) is None:
                yield f"{place}/{name}: is missing"


def _plain(value: Value, wanted: dict[str, Any], place: str) -> Iterator[str]:
    name = "string" if isinstance(value, Symbol) else type_of(value)
    if name != _PLAIN[wanted["$type"]]:
        yield f"{place}: {value!r} is no {_PLAIN[wanted['$type']]}"
    elif not _is_within(value, wanted):
        yield f"{place}: {value!r} is too short, too long, too small or too large"


def _is_within(value: Value, wanted: dict[str, Any]) -> bool:
    if isinstance(value, Unknown | Symbol | bool):
        return True
    size, word = (len(value), "Length") if isinstance(value, str) else (int(value), "Value")
    smallest, largest = (int(wanted.get(f"{limit}{word}", size)) for limit in ("min", "max"))
    return smallest <= size <= largest
