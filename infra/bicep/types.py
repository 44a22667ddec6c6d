"""Whether a value is of a type, as Azure Resource Manager looks before it deploys anything."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from infra.bicep.syntax import NULLABLE, Type, decorators_of, said, text_of
from infra.bicep.values import Unknown, Value, type_of

type Decorators = Mapping[str, list[Node]]


@dataclass(frozen=True)
class Types:
    """The types that a file names. `evaluate` gives what a decorator's argument comes to."""

    named: Mapping[str, Type]
    evaluate: Callable[[Node], Value]

    def faults(self, value: Value, wanted: Node, decorators: Decorators, at: str) -> Iterator[str]:
        """Say what is not as it is wanted, and where."""
        name = text_of(wanted)
        if isinstance(value, Unknown):
            if {value.type_name, _kind_of(wanted)} & {"any", value.type_name, "other"} == set():
                yield f"{at} is no {name}"
            return
        if wanted.type == "type":
            yield from self.faults(value, said(wanted)[0], decorators, at)
        elif wanted.type == "nullable_type" or name.startswith(NULLABLE):
            yield from self._nullable(value, wanted, decorators, at)
        elif name in self.named:
            told = self.named[name]
            yield from self.faults(value, told.value, {**told.decorators, **decorators}, at)
        elif made := self._of_parts.get(wanted.type):
            yield from made(value, wanted, decorators, at)
        elif type_of(value) != name:
            yield f"{at} is no {name}: {value!r}"
        else:
            yield from self._limits(value, decorators, at)

    @property
    def _of_parts(self) -> Mapping[str, Callable[[Value, Node, Decorators, str], Iterator[str]]]:
        return {"object": self._object, "array_type": self._array, "union_type": self._union}

    def _union(self, value: Value, wanted: Node, _: Decorators, at: str) -> Iterator[str]:
        """Of values that are written down: 'a' | 'b'."""
        if value not in map(self.evaluate, _choices(wanted)):
            yield f"{at} may not be {value!r}"

    def _nullable(
        self, value: Value, wanted: Node, decorators: Decorators, at: str
    ) -> Iterator[str]:
        if value is None:
            return
        name = text_of(wanted).removeprefix(NULLABLE)
        if name in self.named:
            told = self.named[name]
            yield from self.faults(value, told.value, {**told.decorators, **decorators}, at)
        else:
            yield from self.faults(value, said(wanted)[0], decorators, at)

    def _array(self, value: Value, wanted: Node, decorators: Decorators, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{at} is no array: {value!r}"
            return
        yield from self._limits(value, decorators, at)
        for i, item in enumerate(value):
            yield from self.faults(item, said(wanted)[0], {}, f"{at}/{i}")

    def _object(self, value: Value, wanted: Node, decorators: Decorators, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at} is no object: {value!r}"
            return
        known, others = properties_of(wanted)
        for name, (kind, limits) in known.items():
            yield from self._property(value, name, kind, limits, f"{at}/{name}")
        for name in value.keys() - known.keys():
            if others is not None:
                yield from self.faults(value[name], others, {}, f"{at}/{name}")
            elif "sealed" in decorators:
                yield f"{at} has no {name}"

    def _property(
        self, owner: Value, name: str, wanted: Node, decorators: Decorators, at: str
    ) -> Iterator[str]:
        optional = wanted.type == "nullable_type" or text_of(wanted).startswith(NULLABLE)
        if name in owner:
            yield from self.faults(owner[name], wanted, decorators, at)
        elif not optional:
            yield f"{at} is not given"

    def _limits(self, value: Value, decorators: Decorators, at: str) -> Iterator[str]:
        limits = {name: self.evaluate(given[0]) for name, given in decorators.items() if given}
        size = value if isinstance(value, int) else len(value)
        outside = (
            value not in limits.get("allowed", [value])
            or size < limits.get("minValue", limits.get("minLength", size))
            or size > limits.get("maxValue", limits.get("maxLength", size))
        )
        if outside:
            yield f"{at} may not be {value!r}"


def _choices(union: Node) -> list[Node]:
    return [
        choice
        for part in said(union)
        for choice in (
            _choices(part) if part.type in {"union_type", "binary_expression"} else [part]
        )
    ]


def properties_of(wanted: Node) -> tuple[dict[str, tuple[Node, Decorators]], Node | None]:
    """Return the properties of an object type, and the type of all others (`*`)."""
    known: dict[str, tuple[Node, Decorators]] = {}
    others: Node | None = None
    decorators: Decorators = {}
    for part in said(wanted):
        if part.type == "decorators":
            decorators = decorators_of(part)
            continue
        names = said(part)
        if len(names) == 1:
            others = names[0]
        else:
            known[text_of(names[0])] = (names[1], decorators)
        decorators = {}
    return known, others


def _kind_of(wanted: Node) -> str:
    """Return Bicep's name of the type of values that are of it; "other" for what has a name."""
    inner = said(wanted)[0] if wanted.type == "type" else wanted
    if inner.type in {"object", "array_type"}:
        return "object" if inner.type == "object" else "array"
    return text_of(inner) if inner.type == "primitive_type" else "other"
