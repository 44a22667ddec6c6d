"""What an expression comes to, where only Azure can say."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

type Value = Any
"""A JSON value that may hold Unknown, or one of the things below."""


@dataclass(frozen=True)
class Unknown:
    """Known in Azure alone. `type_name` is Bicep's, `any` where that is not known either."""

    text: str
    """The expression of Azure Resource Manager that it comes from."""
    type_name: str = "any"


@dataclass(frozen=True)
class Symbol:
    """A resource, by which others name it. Its id and name may be known, its properties are not."""

    symbol: str
    kind: str
    name: Value
    id: Value

    def member(self, name: str) -> Value:
        if self.kind.startswith("Microsoft.Graph/"):  # what Entra gives it, its id too
            return Unknown(f"{self.symbol}.{name}")
        if name in {"id", "name"}:
            return self.id if name == "id" else last_name(self.name)
        where = f"{expression(self.id)}, '{self.kind.partition('@')[2]}'"
        if name == "properties":
            return Unknown(f"reference({where})", "object")
        return Unknown(f"reference({where}, 'full').{name}")


def last_name(name: Value) -> Value:
    """Return a resource's own part of a name that has its parents' before it."""
    return name.rpartition("/")[2] if isinstance(name, str) else name


def expression(value: Value) -> str:
    """Write a value as Azure Resource Manager would inside an expression."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, dict):
        return f"createObject({_words(word for pair in value.items() for word in pair)})"
    if isinstance(value, list):
        return f"createArray({_words(value)})"
    is_function = value is None or isinstance(value, bool)
    return f"{json.dumps(value)}()" if is_function else str(value)


def _words(values: Iterable[Value]) -> str:
    return ", ".join(map(expression, values))


def as_json(value: Value) -> Value:
    """Write what is not known as a snapshot does: an expression in brackets."""
    match value:
        case Unknown():
            return f"[{value.text}]"
        case dict():
            return {as_json(key): as_json(item) for key, item in value.items()}
        case list():
            return [as_json(item) for item in value]
    return value


type Function = Callable[..., Value]


def is_known(value: Value) -> bool:
    if isinstance(value, dict):
        return all(map(is_known, value.values())) and all(map(is_known, value))
    if isinstance(value, list | tuple):
        return all(map(is_known, value))
    return not isinstance(value, Unknown)


def type_of(value: Value) -> str:
    """Bicep's name for the type of a value."""
    if isinstance(value, Unknown):
        return value.type_name
    names = {bool: "bool", int: "int", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null" if value is None else "resource")
