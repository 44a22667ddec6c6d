"""What an expression comes to, where only Azure can say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

type Value = Any
"""A JSON value that may hold Unknown, or one of the things below."""


@dataclass(frozen=True)
class Unknown:
    """Known in Azure alone. `type_name` is Bicep's, `any` where that is not known either."""

    text: str
    type_name: str = "any"


@dataclass(frozen=True)
class Symbol:
    """A resource, by which others name it. Its id and name are known, its properties are not."""

    symbol: str
    kind: str
    name: Value
    id: str

    def member(self, name: str) -> Value:
        if name in {"id", "name"}:
            return self.id if name == "id" else self.name
        return Unknown(f"{self.symbol}.{name}")


type Function = Callable[..., Value]


def is_known(value: Value) -> bool:
    if isinstance(value, dict):
        return all(map(is_known, value.values())) and all(map(is_known, value))
    if isinstance(value, list):
        return all(map(is_known, value))
    return not isinstance(value, Unknown)


def type_of(value: Value) -> str:
    """Bicep's name for the type of a value."""
    if isinstance(value, Unknown):
        return value.type_name
    names = {bool: "bool", int: "int", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null" if value is None else "resource")
