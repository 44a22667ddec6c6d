"""What an expression means: its names looked up in the model, its types judged, its value.

The refusals are worded as those of the ``MetadataBinder`` of Microsoft's OData library, and what is
null counts as it does where that library runs on objects in memory.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from infra.local.graph import grammar
from infra.local.graph.errors import GraphError, not_emulated
from infra.local.graph.grammar import OPERATORS, Node, RefusedError, query_refused
from infra.local.graph.model import BOOLEAN, DATE_TIME, STRING, Model, Property, Type
from infra.local.graph.values import folded, length, lower, ordinal, ticks, upper

_MOST_NODES = 100
_DATE = "Edm.Date"
_INTEGERS = frozenset({"Edm.Int32", "Edm.Int64"})
_NUMBER_OF_PARTS = 2  # of a call of isof or cast

_OPERATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
# Known to OData, unknown here.
_NOT_EMULATED = frozenset(
    {"concat", "indexof", "substring", "matchespattern", "fractionalseconds", "time", "round"}
    | {"floor", "ceiling", "totalseconds", "totaloffsetminutes", "mindatetime", "maxdatetime"}
    | {"geo.distance", "geo.intersects", "geo.length", "case", "hassubset", "hassubsequence"}
)
_PARTS_OF_DATES = {
    "year": slice(0, 4),
    "month": slice(5, 7),
    "day": slice(8, 10),
    "hour": slice(11, 13),
    "minute": slice(14, 16),
    "second": slice(17, 19),
}


@dataclass(slots=True)
class Scope:
    """``variables`` holds ``$it`` and the variables of any and all; ``sponsors`` finds what a
    navigation property of an organization leads to."""

    variables: dict[str, Any]
    sponsors: Callable[[Mapping[str, Any], str], list[dict[str, Any]]]


type Value = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """``type_name`` is None where it is not known: of null, and of an open type's properties."""

    value: Value
    type_name: str | None
    is_collection: bool = False
    constant: grammar.Constant | None = None

    @property
    def is_null(self) -> bool:
        return self.constant is not None and self.constant.type_name is None


class OrderKey(NamedTuple):
    """``name`` is the property's, where it is one of the type's own."""

    name: str | None
    value: Value
    descending: bool


@dataclass(frozen=True)
class Language:
    """What expressions are about. With ``ignores_case`` text is compared as by a database that
    does."""

    model: Model
    type_name: str
    ignores_case: bool = False

    def predicate(self, text: str, aliases: Mapping[str, str]) -> Callable[[Scope], bool]:
        """Raise GraphError."""
        return _predicate(self, text, tuple(sorted(aliases.items())))

    def order(self, text: str, aliases: Mapping[str, str]) -> list[OrderKey]:
        """Raise GraphError."""
        try:
            parsed = grammar.parse_order(text, aliases)
            keys = [self._order_key(node, descending) for node, descending in parsed]
        except RefusedError as refused:
            raise query_refused(str(refused)) from None
        names = [key.name for key in keys if key.name]
        for name in names:
            if names.count(name) > 1:
                raise query_refused(
                    f"Duplicate property named '{name}' is not supported in '$orderby'."
                )
        return keys

    def _order_key(self, node: Node, descending: bool) -> OrderKey:  # noqa: FBT001  a pair's half
        bound = _Binder(self).bind(node)
        found = self.model.types.get(bound.type_name) if bound.type_name else None
        is_structure = found is not None and found.kind in {"Entity", "Complex"}
        if bound.is_collection or is_structure:
            raise RefusedError(
                "The $orderby expression must evaluate to a single value of primitive type."
            )
        name = None
        if isinstance(node, grammar.Name) and node.parent is None:
            known = self.model.property(self.type_name, node.name)
            name = known.name if known else None
        key = _key_of(self, bound.type_name, in_order=True)
        return OrderKey(name, lambda scope: key(bound.value(scope)), descending)


@lru_cache(maxsize=4096)
def _predicate(
    language: Language, text: str, aliases: tuple[tuple[str, str], ...]
) -> Callable[[Scope], bool]:
    try:
        tree = grammar.parse(text, dict(aliases))
        value = _condition(language, tree)
        _check_limits(tree)
    except RefusedError as refused:
        raise query_refused(str(refused)) from None
    return lambda scope: value(scope) is True


def _condition(language: Language, tree: Node) -> Value:
    bound = _Binder(language).bind(tree)
    if bound.is_collection or bound.type_name not in {BOOLEAN, None}:
        raise RefusedError("The $filter expression must evaluate to a single boolean value.")
    return bound.value


def _check_limits(tree: Node) -> None:
    """Those that the library's ``EnableQuery`` has unless told otherwise."""
    if _nesting(tree) > 1:
        raise RefusedError(
            "The Any/All nesting limit of '1' has been exceeded. 'MaxAnyAllExpressionDepth' can be "
            "configured on ODataValidationSettings or EnableQueryAttribute."
        )
    if _nodes(tree) > _MOST_NODES:
        raise RefusedError(
            f"The node count limit of '{_MOST_NODES}' has been exceeded. To increase the limit, set"
            " the 'MaxNodeCount' property on EnableQueryAttribute or ODataValidationSettings."
        )


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case grammar.Binary(_, left, right) | grammar.In(left, right):
            return left, right
        case grammar.Not(operand):
            return (operand,)
        case grammar.Quantified(_, parent, _, predicate):
            return (parent,) if predicate is None else (parent, predicate)
        case grammar.Call(_, arguments, parent):
            return arguments if parent is None else (parent, *arguments)
        case grammar.Values(items):
            return items
        case grammar.Count(parent):
            return (parent,)
        case grammar.Name(_, parent) | grammar.Dotted(_, parent) if parent is not None:
            return (parent,)
        case _:
            return ()


def _nodes(node: Node) -> int:
    """As the library counts them: a path begins with the thing that it is a path from."""
    is_root = isinstance(node, grammar.Name) and node.parent is None
    return 1 + is_root + sum(_nodes(part) for part in _parts(node))


def _nesting(node: Node) -> int:
    deepest = max((_nesting(part) for part in _parts(node)), default=0)
    return deepest + isinstance(node, grammar.Quantified)


class _Binder:
    def __init__(self, language: Language) -> None:
        self._language = language
        self._model = language.model
        self._variables = {"$it": language.type_name}

    def bind(self, node: Node) -> Bound:
        match node:
            case grammar.Constant():
                return Bound(lambda _: node.value, node.type_name, constant=node)
            case grammar.Name():
                return self._name(node)
            case grammar.Dotted():
                return self._dotted(node)
            case grammar.Count(parent):
                items = self._collection(parent)
                return Bound(lambda scope: len(items.value(scope)), "Edm.Int64")
            case grammar.Quantified():
                return self._quantified(node)
            case grammar.Call():
                return self._call(node)
            case grammar.Not(operand):
                return self._not(operand)
            case grammar.Binary():
                return self._binary(node)
            case grammar.In(left, right):
                return self._in(left, right)
            case grammar.Values():
                raise not_emulated("A list of values where 'in' is not in front")

    # Paths

    def _name(self, node: grammar.Name) -> Bound:
        if node.parent is None:
            if node.name in self._variables:
                name = node.name
                return Bound(lambda scope: scope.variables[name], self._variables[name])
            if node.name.lower() == "$root":
                raise RefusedError(
                    "The $root literal can be used in expressions to refer to resources of the "
                    "same service. It can be used as a single-valued expression or within complex "
                    "or collection literals."
                )
            return self._property(self.bind(grammar.Name("$it")), node.name)
        parent = self.bind(node.parent)
        if parent.is_collection:
            raise RefusedError(
                f"The parent value for a property access of a property '{node.name}' is not a "
                "single value. Property access can only be applied to a single value."
            )
        return self._property(parent, node.name)

    def _property(self, parent: Bound, name: str) -> Bound:
        kind = self._model.types.get(parent.type_name or "")
        if kind is None or kind.kind not in {"Entity", "Complex"}:
            raise not_emulated(f"The property '{name}' of a value that has none")
        known = self._model.property(kind.name, name)
        if known is not None:
            return Bound(_reading(parent.value, known), known.type_name, known.is_collection)
        if not kind.is_open:
            raise RefusedError(f"Could not find a property named '{name}' on type '{kind.name}'.")
        if any(
            self._model.is_a(derived, kind.name) and self._model.property(derived, name)
            for derived in self._model.types
        ):
            raise not_emulated(f"The property '{name}' of a derived type without a cast")
        return Bound(lambda scope: (parent.value(scope) or {}).get(name), None)

    def _dotted(self, node: grammar.Dotted) -> Bound:
        if "'" in node.name:
            return self._enumerated(node.name)
        parent = self.bind(node.parent or grammar.Name("$it"))
        return self._cast(parent, node.name)

    def _cast(self, parent: Bound, name: str) -> Bound:
        found = self._model.find(name)
        if found is None or found.kind not in {"Entity", "Complex"}:
            raise RefusedError(
                f"The child type '{name}' in a cast was not an entity type. Casts can only be "
                "performed on entity types."
            )
        held = parent.type_name or ""
        if not (self._model.is_a(found.name, held) or self._model.is_a(held, found.name)):
            raise RefusedError(
                f"Encountered invalid type cast. '{found.name}' is not assignable from '{held}'."
            )
        fits = self._fits(found, held)
        if parent.is_collection:
            return Bound(
                lambda scope: [item for item in parent.value(scope) if fits(item)],
                found.name,
                is_collection=True,
            )

        read = parent.value

        def cast(scope: Scope) -> Any:
            value = read(scope)
            return value if fits(value) else None

        return Bound(cast, found.name)

    def _fits(self, found: Type, held: str) -> Callable[[Any], bool]:
        if self._model.is_a(held, found.name):
            return lambda item: item is not None
        fitting = {f"#{name}" for name in self._model.types if self._model.is_a(name, found.name)}
        return lambda item: isinstance(item, dict) and item.get("@odata.type") in fitting

    def _collection(self, node: Node) -> Bound:
        bound = self.bind(node)
        if not bound.is_collection:
            raise not_emulated("Counting what is not a collection")
        return bound

    # Any and all

    def _quantified(self, node: grammar.Quantified) -> Bound:
        parent = self.bind(node.parent)
        if not parent.is_collection:
            raise RefusedError("Any/All may only be used following a collection.")
        if node.variable is None or node.predicate is None:
            if not node.is_any:
                raise not_emulated("all() without a predicate")
            return Bound(lambda scope: bool(parent.value(scope)), BOOLEAN)
        variable = node.variable
        self._variables[variable] = parent.type_name or ""
        predicate = self.bind(node.predicate)
        del self._variables[variable]
        if predicate.is_collection or predicate.type_name not in {BOOLEAN, None}:
            raise RefusedError(
                "The Any/All query expression must evaluate to a single boolean value."
            )
        items, holds, settling = parent.value, predicate.value, node.is_any

        def quantified(scope: Scope) -> bool:
            for item in items(scope):
                scope.variables[variable] = item
                if (holds(scope) is True) is settling:
                    return settling
            return not settling

        return Bound(quantified, BOOLEAN)

    # Logic

    def _not(self, node: Node) -> Bound:
        operand = self.bind(node)
        if operand.is_collection or operand.type_name not in {BOOLEAN, None}:
            raise RefusedError(
                "A unary operator with an incompatible type was detected. Found operand type "
                f"'{operand.type_name}' for operator kind 'Not'."
            )

        def negated(scope: Scope) -> bool | None:
            value = operand.value(scope)
            return None if value is None else not value

        return Bound(negated, BOOLEAN)

    def _binary(self, node: grammar.Binary) -> Bound:
        left, right = self.bind(node.left), self.bind(node.right)
        if left.is_collection or right.is_collection:
            raise RefusedError(
                f"The operand for a binary operator '{OPERATORS[node.operator]}' is not a single "
                "value. Binary operators require both operands to be single values."
            )
        if node.operator in {"and", "or"}:
            if {left.type_name, right.type_name} - {BOOLEAN, None}:
                raise _incompatible(node.operator, left, right)
            return Bound(_joined(node.operator, left.value, right.value), BOOLEAN)
        if node.operator in {"eq", "ne", "has"}:
            left, right = self._promoted(left, right), self._promoted(right, left)
        if node.operator == "has":
            return self._has(left, right)
        return self._compared(node.operator, left, right)

    def _promoted(self, bound: Bound, other: Bound) -> Bound:
        """A constant beside an enumeration, as one of its values."""
        found = self._model.types.get(other.type_name or "")
        if found is None or found.kind != "Enum" or bound.constant is None or bound.is_null:
            return bound
        if bound.type_name not in {STRING, *_INTEGERS}:
            return bound
        return _member(found, str(bound.constant.value))

    def _enumerated(self, text: str) -> Bound:
        """``microsoft.graph.state'proposed'``."""
        type_name, _, quoted = text.partition("'")
        found = self._model.find(type_name)
        if found is None or found.kind != "Enum":
            raise _no_member(text)
        folded = {name.casefold(): name for name in found.members}
        value = quoted.removesuffix("'")
        return _member(found, folded.get(value.casefold(), value), text)

    def _has(self, left: Bound, right: Bound) -> Bound:
        found = self._model.types.get(left.type_name or "")
        if found is None or found.kind != "Enum" or left.type_name != right.type_name:
            raise not_emulated("'has' of what is not an enumeration")

        def has(scope: Scope) -> bool | None:
            held = found.members.get(left.value(scope))
            flag = found.members.get(right.value(scope), 0)
            return None if held is None else held & flag == flag

        return Bound(has, BOOLEAN)

    def _compared(self, name: str, left: Bound, right: Bound) -> Bound:
        is_order = name not in {"eq", "ne"}
        types = {left.type_name, right.type_name}
        if not _are_comparable(types):
            if is_order and types & _INTEGERS and not types <= {STRING, BOOLEAN, *_INTEGERS}:
                raise not_emulated("An order of a number and what is none")
            raise _incompatible(name, left, right)
        is_text = types <= {STRING, None}
        if is_order and (left.is_null or right.is_null):
            raise not_emulated("An order of null")
        if is_order and not is_text and not types <= {DATE_TIME, _DATE, *_INTEGERS}:
            raise not_emulated(f"An order of {left.type_name}")
        operation = _OPERATIONS[name]
        keys = [
            _key_of(self._language, bound.type_name, in_order=is_order) for bound in (left, right)
        ]
        if left.is_null or right.is_null:
            keys = [_is_null, _is_null]
        elif None in types and not types <= {STRING, BOOLEAN, None}:
            raise not_emulated("A comparison with a value of an unknown type")
        knows_null = is_text or left.is_null or right.is_null or None in types

        if knows_null and right.constant is not None:
            read, key, wanted = left.value, keys[0], keys[1](right.value(_NOWHERE))
            return Bound(lambda scope: operation(key(read(scope)), wanted), BOOLEAN)

        def compared(scope: Scope) -> bool | None:
            values = left.value(scope), right.value(scope)
            if not knows_null and None in values:
                return None
            return operation(keys[0](values[0]), keys[1](values[1]))

        return Bound(compared, BOOLEAN)

    def _in(self, node: Node, values: Node) -> Bound:
        left = self.bind(node)
        if left.is_collection:
            raise not_emulated("'in' behind a collection")
        if not isinstance(values, grammar.Values):
            if isinstance(values, grammar.Constant) and values.type_name == STRING:
                raise RefusedError(
                    "An unexpected 'PrimitiveValue' node was found when reading from the JSON "
                    "reader. A 'StartArray' node was expected."
                )
            raise not_emulated("'in' without a list of values")
        items = [self._promoted(self.bind(item), left) for item in values.items]
        if any(item.type_name not in {left.type_name, None} for item in items):
            raise not_emulated("'in' with values of another type")
        key = _key_of(self._language, left.type_name, in_order=False)
        wanted = {key(item.value(_NOWHERE)) for item in items}
        return Bound(lambda scope: key(left.value(scope)) in wanted, BOOLEAN)

    # Functions

    def _call(self, node: grammar.Call) -> Bound:
        name = node.name.lower()
        if node.parent is not None:
            raise not_emulated(f"The function '{node.name}' of a value")
        if name in {"isof", "cast"}:
            return self._of_type(name, node.arguments)
        if name in _NOT_EMULATED:
            raise not_emulated(f"The function '{node.name}'")
        arguments = [self.bind(argument) for argument in node.arguments]
        if name in _TEXT_FUNCTIONS:
            return self._text_function(name, arguments)
        if name == "now" and not arguments:
            return Bound(lambda _: datetime.now(UTC).isoformat(), DATE_TIME)
        if name in {"date", *_PARTS_OF_DATES}:
            return _date_function(name, arguments)
        raise RefusedError(
            f"An unknown function with name '{node.name}' was found. This may also be a function "
            "import or a key lookup on a navigation property, which is not allowed."
        )

    def _of_type(self, name: str, arguments: tuple[Node, ...]) -> Bound:
        *rest, last = arguments or (None,)
        match last:
            case grammar.Constant(_, "Edm.String", str(type_name)) | grammar.Dotted(
                type_name, None
            ):
                found = self._model.find(type_name)
            case _:
                found = None
        if found is None or len(arguments) > _NUMBER_OF_PARTS:
            if isinstance(last, grammar.Dotted) and last.name.lower().startswith("edm."):
                raise not_emulated(f"{name} to {last.name}")
            raise RefusedError("Cast or IsOf Function must have a type in its arguments.")
        if found.kind not in {"Entity", "Complex"}:
            raise not_emulated(f"{name} to {found.name}")
        subject = self.bind(rest[0] if rest and rest[0] else grammar.Name("$it"))
        if name == "cast":
            return self._cast(subject, found.name)
        fits = self._fits(found, subject.type_name or "")
        return Bound(lambda scope: fits(subject.value(scope)), BOOLEAN)

    def _text_function(self, name: str, arguments: list[Bound]) -> Bound:
        arity, type_name, function = _TEXT_FUNCTIONS[name]
        fit = all(not item.is_collection and item.type_name in {STRING, None} for item in arguments)
        if len(arguments) != arity or not fit:
            signature = ", ".join(["Edm.String Nullable=true"] * arity)
            raise RefusedError(
                f"No function signature for the function with name '{name}' matches the specified "
                f"arguments. The function signatures considered are: {name}({signature})."
            )
        folds = self._language.ignores_case and type_name == BOOLEAN

        def call(scope: Scope) -> Any:
            values = [argument.value(scope) for argument in arguments]
            if None in values:
                return None
            if not all(isinstance(value, str) for value in values):
                raise not_emulated("A function of a text that is none")
            return function(*(value.casefold() for value in values) if folds else values)

        return Bound(call, type_name)


def _no_sponsors(_: Mapping[str, Any], __: str) -> list[dict[str, Any]]:
    return []


_NOWHERE = Scope({}, _no_sponsors)  # where constants are evaluated


def _reading(parent: Value, known: Property) -> Value:
    name = known.name
    if known.is_navigation:
        return lambda scope: scope.sponsors(parent(scope), name)
    if known.is_collection:
        return lambda scope: (parent(scope) or {}).get(name) or []

    def read(scope: Scope) -> Any:
        value = parent(scope)
        return None if value is None else value.get(name)

    return read


def _is_null(value: object) -> bool:
    return value is None


def _joined(name: str, left: Value, right: Value) -> Value:
    """Null is neither; the one value that settles it settles it beside null too."""
    settling = name == "or"

    def joined(scope: Scope) -> bool | None:
        first: bool | None = left(scope)
        if first is settling:
            return settling
        second: bool | None = right(scope)
        if second is settling:
            return settling
        return None if first is None or second is None else not settling

    return joined


def _incompatible(name: str, left: Bound, right: Bound) -> RefusedError | GraphError:
    if None in {left.type_name, right.type_name}:
        return not_emulated("A comparison with a value of an unknown type")
    return RefusedError(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{left.type_name}' and '{right.type_name}' for operator kind '{OPERATORS[name]}'."
    )


def _are_comparable(types: set[str | None]) -> bool:
    known = types - {None}
    return len(known) <= 1 or known <= _INTEGERS or known <= {DATE_TIME, _DATE}


def _member(found: Type, name: str, text: str | None = None) -> Bound:
    """``text`` is what it was written as."""
    if name.isdecimal():
        names = [known for known, value in found.members.items() if value == int(name)]
        if not names:
            raise not_emulated(f"The value {name} of an enumeration")
        name = names[0]
    if name not in found.members:
        raise _no_member(text or name)
    constant = grammar.Constant(name, found.name, name)
    return Bound(lambda _: name, found.name, constant=constant)


def _no_member(text: str) -> RefusedError:
    return RefusedError(f"The string '{text}' is not a valid enumeration type constant.")


# Values as they are compared


def _key_of(language: Language, type_name: str | None, *, in_order: bool) -> Callable[[Any], Any]:
    """What is compared of a value: whether it is the same, or which comes first."""
    if type_name in {DATE_TIME, _DATE}:
        return _moment
    if type_name == STRING or type_name is None:
        if in_order:
            return folded if language.ignores_case else ordinal
        return _casefolded if language.ignores_case else _as_it_is
    found = language.model.types.get(type_name)
    if found is not None and found.kind == "Enum":
        return found.members.get
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _casefolded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _moment(value: str | None) -> int | None:
    """Raise GraphError for what was laid and is no date."""
    try:
        return None if value is None else ticks(value)
    except ValueError:
        raise not_emulated(f"A comparison with '{value}'") from None


# Functions

# How many arguments, what comes out, what it does.
_TEXT_FUNCTIONS: Mapping[str, tuple[int, str, Callable[..., Any]]] = {
    "tolower": (1, STRING, lower),
    "toupper": (1, STRING, upper),
    "trim": (1, STRING, str.strip),
    "length": (1, "Edm.Int32", length),
    "contains": (2, BOOLEAN, operator.contains),
    "startswith": (2, BOOLEAN, str.startswith),
    "endswith": (2, BOOLEAN, str.endswith),
}


def _date_function(name: str, arguments: list[Bound]) -> Bound:
    if [argument.type_name for argument in arguments] != [DATE_TIME]:
        raise not_emulated(f"The function '{name}' of anything but a date with its time")
    (moment,) = arguments
    part = slice(0, 10) if name == "date" else _PARTS_OF_DATES[name]

    def read(scope: Scope) -> Any:
        value = moment.value(scope)
        if value is None:
            return None
        return value[part] if name == "date" else int(value[part])

    return Bound(read, _DATE if name == "date" else "Edm.Int32")
