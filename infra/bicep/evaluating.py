"""Expressions, evaluated from the syntax tree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from tree_sitter import Node

from infra.bicep import functions
from infra.bicep.syntax import error_at, said, text_of
from infra.bicep.values import Symbol, Unknown, Value, expression, is_known, type_of

_ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\$": "$"}
_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "&&": lambda a, b: a and b,
    "||": lambda a, b: a or b,
    "*": lambda a, b: a * b,
    "<": lambda a, b: a < b,
}
_FUNCTIONS = {"==": "equals", "!=": "notEquals"}
_LITERALS: dict[str, Callable[[str], Value]] = {
    "number": int,
    "boolean": lambda text: text == "true",
    "null": lambda _: None,
}


@dataclass(frozen=True)
class Evaluator:
    """`lookup` gives what a name stands for; it raises KeyError."""

    path: Path
    place: functions.Place
    lookup: Callable[[str], Value]

    def within(self, names: Mapping[str, Value]) -> "Evaluator":
        """See more names: those of a loop."""
        outer = self.lookup
        return replace(self, lookup=lambda n: names[n] if n in names else outer(n))

    def value(self, node: Node) -> Value:
        """Raise BicepError."""
        if node.type in _LITERALS:
            return _LITERALS[node.type](text_of(node))
        parts = said(node)
        by_type = getattr(self, f"_{node.type}", None)  # the methods below are called as the nodes
        if by_type is None:
            self._refuse(node, f"{node.type} is not used in infra/")
        return by_type(node, parts)

    def rounds(self, loop: Node) -> list[tuple["Evaluator", Node]]:
        """Return what sees the names of each round of a loop, with the loop's body."""
        names, source, body = loop.named_children
        collection = self.value(source)
        if not isinstance(collection, list):
            self._refuse(source, "only an array that is known can be gone through")
        loop_names = [text_of(name) for name in names.named_children] or [text_of(names)]
        return [
            (self.within(dict(zip(loop_names, (item, i), strict=False))), body)
            for i, item in enumerate(collection)
        ]

    def _string(self, _: Node, parts: list[Node]) -> Value:
        values = [
            self.value(part.named_children[0])
            if part.type == "interpolation"
            else _ESCAPES.get(text_of(part), text_of(part))
            for part in parts
        ]
        if is_known(values):
            return "".join(map(str, values))
        if len(values) == 1:
            return values[0]
        holes = [value for part, value in zip(parts, values, strict=True) if _is_hole(part)]
        numbers = iter(range(len(holes)))
        text = "".join(
            f"{{{next(numbers)}}}" if _is_hole(part) else value
            for part, value in zip(parts, values, strict=True)
        )
        return Unknown(f"format({', '.join(map(expression, [text, *holes]))})", "string")

    def _array(self, _: Node, parts: list[Node]) -> Value:
        return [self.value(part) for part in parts]

    def _object(self, _: Node, parts: list[Node]) -> Value:
        return {self._key(part): self.value(part.named_children[1]) for part in parts}

    def _key(self, node: Node) -> Value:
        name = node.named_children[0]
        return text_of(name) if name.type == "identifier" else self.value(name)

    def _identifier(self, node: Node, _: list[Node]) -> Value:
        try:
            return self.lookup(text_of(node))
        except KeyError:
            self._refuse(node, "no such name")

    def _parenthesized_expression(self, _: Node, parts: list[Node]) -> Value:
        return self.value(parts[0])

    def _ternary_expression(self, _: Node, parts: list[Node]) -> Value:
        condition = self.value(parts[0])
        if isinstance(condition, Unknown):
            choices = [self.value(part) for part in parts[1:]]
            kinds = {type_of(choice) for choice in choices}
            words = ", ".join(map(expression, [condition, *choices]))
            return Unknown(f"if({words})", kinds.pop() if len(kinds) == 1 else "any")
        return self.value(parts[1] if condition else parts[2])

    def _unary_expression(self, node: Node, parts: list[Node]) -> Value:
        value = self.value(parts[0])
        if text_of(node)[0] != "!":
            self._refuse(node, "not used in infra/")
        return value if isinstance(value, Unknown) else not value

    def _binary_expression(self, node: Node, parts: list[Node]) -> Value:
        operator = node.children[1].type
        left = self.value(parts[0])
        if operator == "??":
            return self.value(parts[1]) if left is None else left
        if operator not in _OPERATORS:
            self._refuse(node, "not used in infra/")
        if operator == "&&" and left is False:
            return False
        right = self.value(parts[1])
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            name = _FUNCTIONS.get(operator, operator)
            return Unknown(f"{name}({expression(left)}, {expression(right)})", "bool")
        return _OPERATORS[operator](left, right)

    def _member_expression(self, node: Node, parts: list[Node]) -> Value:
        owner, name = self.value(parts[0]), text_of(parts[1])
        if owner is None and ".?" in text_of(node):  # as far as it goes, all of it is null
            return None
        if isinstance(owner, Symbol):
            return owner.member(name)
        if isinstance(owner, Unknown):
            return Unknown(f"{owner.text}.{name}")
        if not isinstance(owner, dict) or name not in owner:
            self._refuse(node, f"has no {name}")
        return owner[name]

    def _subscript_expression(self, node: Node, parts: list[Node]) -> Value:
        owner, index = (self.value(part) for part in parts)
        if isinstance(owner, Unknown) or isinstance(index, Unknown):
            return Unknown(f"{expression(owner)}[{expression(index)}]")
        try:
            return owner[index]
        except (KeyError, IndexError, TypeError):
            self._refuse(node, f"has no {index}")

    def _call_expression(self, node: Node, parts: list[Node]) -> Value:
        name, arguments = text_of(parts[0]), parts[1].named_children
        if name == "loadTextContent":
            return (self.path.parent / self.value(arguments[0])).read_text()
        if name == "fail":
            self._refuse(node, str(self.value(arguments[0])))
        if name == "filter":  # of what Graph says alone
            return Unknown(text_of(node))
        try:
            return functions.call(name, [self.value(a) for a in arguments], self.place)
        except (KeyError, TypeError, AttributeError) as error:
            self._refuse(node, f"{type(error).__name__} {error}")

    def _for_statement(self, node: Node, _: list[Node]) -> Value:
        return [inner.value(body) for inner, body in self.rounds(node)]

    def _refuse(self, node: Node, what: str) -> NoReturn:
        raise error_at(node, self.path, what)


def _is_hole(part: Node) -> bool:
    return part.type == "interpolation"
