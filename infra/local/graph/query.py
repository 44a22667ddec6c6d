"""The options of a query, read as Microsoft's OData library reads them, or refused in its words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from urllib.parse import quote, unquote_plus

from infra.local.graph.binding import Language
from infra.local.graph.errors import GraphError, not_emulated
from infra.local.graph.grammar import query_refused
from infra.local.graph.model import Model, Property

LARGEST_TOP = 999
_LARGEST_INT32 = 2**31 - 1
_SYSTEM = frozenset(
    {"filter", "orderby", "select", "expand", "top", "skip", "count", "skiptoken", "format"}
    | {"search", "apply", "compute", "deltatoken"}
)
_NOT_EMULATED = ("search", "apply", "compute")
_OF_COLLECTIONS = ("filter", "orderby", "count", "skip", "top")
_NUMBER = re.compile(r"[+-]?\d{1,18}")
_CHARACTERS = re.compile(r"[\w$.*/@\s-]")
_UNBALANCED = "Found an unbalanced bracket expression."

type Metadata = Literal["minimal", "none"]


@dataclass(frozen=True)
class Query:
    """The text behind the ``?``, in the order in which it was sent."""

    pairs: tuple[tuple[str, str], ...] = ()

    @cached_property
    def system(self) -> Mapping[str, str]:
        """The options of OData by their names without ``$``; a repeated one is one with a comma.

        Raise GraphError for one that OData does not have."""
        found: dict[str, str] = {}
        for name, value in self.pairs:
            known = system_name(name)
            if known is not None:
                found[known] = f"{found[known]},{value}" if known in found else value
            elif name.startswith("$"):
                raise query_refused(
                    f"Custom query option '{name}' that starts with '$' is not supported."
                )
            elif not name:
                raise not_emulated("An option without a name")
        return found

    def refuse_options(self, *but: str) -> None:
        """Where there is nothing that options would change. Raise GraphError."""
        for name in self.system:
            if name not in but:
                raise not_emulated(f"${name} here")

    @property
    def aliases(self) -> Mapping[str, str]:
        return {name: value for name, value in self.pairs if name.startswith("@")}


def system_name(name: str) -> str | None:
    """In any case, and with or without its ``$``."""
    known = name.lower().removeprefix("$")
    return known if known in _SYSTEM else None


def read_query(text: str) -> Query:
    """Of the query as it was sent, percent-encoded."""
    parts = [part.partition("=") for part in text.split("&") if part]
    return Query(tuple((unquote_plus(name), unquote_plus(value)) for name, _, value in parts))


@dataclass(frozen=True, slots=True)
class Expansion:
    """A navigation property to be shown, and the options in its parentheses."""

    name: str
    query: Query = field(default_factory=Query)


class Options:
    """The options for something of a type. Raises GraphError for what is refused."""

    def __init__(self, query: Query, model: Model, type_name: str, prefer: str = "") -> None:
        self.query = query
        self.model = model
        self.type_name = type_name
        self._prefer = prefer
        system = query.system
        _check_empty(system)
        self.filter = system.get("filter")
        self.order = system.get("orderby")
        self.top = _number(system, "top", LARGEST_TOP)
        self.skip = _number(system, "skip", _LARGEST_INT32) or 0
        self.with_count = _count(system)
        self.token = system.get("skiptoken")
        self.metadata = metadata_level(system.get("format", ""))
        self.select = self._selected(system.get("select", ""))
        self.expand = tuple(self._expanded(system.get("expand", "")))

    def refuse_collections_options(self) -> None:
        """Where there is one entity alone."""
        if any(name in self.query.system for name in _OF_COLLECTIONS):
            raise query_refused(
                "The requested resource is not a collection. Query options $filter, $orderby, "
                "$count, $skip, and $top can be applied only on collections."
            )

    @property
    def preferred_size(self) -> int | None:
        """Of a page, by ``Prefer``; None where nothing useful is said."""
        found = re.search(r"(?:^|[,;\s])(?:odata\.)?maxpagesize=(\d{1,9})(?!\w)", self._prefer)
        return int(found[1]) or None if found else None

    @property
    def columns(self) -> str:
        """As a context address shows them, in parentheses."""
        expanded = [f"{item.name}({item.query.system.get('select', '')})" for item in self.expand]
        names = [*(self.select or ()), *expanded]
        return f"({','.join(names)})" if names else ""

    # $select

    def _selected(self, text: str) -> tuple[str, ...] | None:
        """None for everything."""
        names = [self._selected_name(item) for item in _split(text, ",") if item.strip()]
        return ("*",) if "*" in names else tuple(dict.fromkeys(names)) or None

    def _selected_name(self, text: str) -> str:
        if text.strip() == "*":
            return "*"
        _check_characters(text)
        if "(" in text:
            raise not_emulated("$select with options")
        first, *rest = (part.strip() for part in text.strip().split("/"))
        if "." in first and (found := self.model.find(first)) and rest:
            if not self.model.is_a(self.type_name, found.name):
                raise not_emulated("$select of a derived type")
            return f"{found.name}/{self._selected_path(*rest)}"
        return self._selected_path(first, *rest)

    def _selected_path(self, name: str, *rest: str) -> str:
        known = self._property(name)
        if known is None:
            return name  # of an open type
        if not rest:
            return known.name
        if known.type_name.startswith("Edm."):
            raise query_refused(
                "Found a path with multiple navigation properties or a bad complex property path in"
                " a select clause. Please reword your query such that each level of select or "
                "expand only contains either TypeSegments or Properties."
            )
        if "." not in rest[0] and self.model.property(known.type_name, rest[0]) is None:
            raise _no_property(rest[0], known.type_name)
        raise not_emulated("$select of a part of a property")

    def _property(self, name: str) -> Property | None:
        """None for one of an open type."""
        known = self.model.property(self.type_name, name)
        if known is None and not self.model.types[self.type_name].is_open:
            raise _no_property(name, self.type_name)
        return known

    # $expand

    def _expanded(self, text: str) -> Iterator[Expansion]:
        seen: dict[str, Expansion] = {}
        for item in _split(text, ","):
            for found in self._expansions(item.strip()):
                if seen.setdefault(found.name, found) != found:
                    raise not_emulated(f"$expand of {found.name} in two ways")
        yield from seen.values()

    def _expansions(self, text: str) -> list[Expansion]:
        if text == "*":
            known = self.model.properties(self.type_name)
            return [Expansion(name) for name in sorted(p.name for p in known if p.is_navigation)]
        name, has_options, options = text.partition("(")
        _check_characters(name)
        if "/" in name:
            raise not_emulated("A path in $expand")
        known_property = self.model.property(self.type_name, name.strip())
        if known_property is None:
            raise _no_property(name.strip(), self.type_name)
        if not known_property.is_navigation:
            raise query_refused(
                f"Property '{known_property.name}' on type '{self.type_name}' is not a navigation "
                "property or complex property. Only navigation properties can be expanded."
            )
        if not has_options:
            return [Expansion(known_property.name)]
        return [self._with_options(known_property, options.removesuffix(")"))]

    def _with_options(self, known: Property, text: str) -> Expansion:
        if not text.strip():
            raise query_refused(
                f"Missing expand option on navigation property '{known.name}'. If a parenthesis "
                "expression follows an expanded navigation property, then at least one expand "
                "option must be provided."
            )
        parts = [part.strip().partition("=") for part in _split(text, ";")]
        query = Query(tuple((name, value) for name, _, value in parts))
        for name, value in query.pairs:
            if name.lower() == "$levels":
                raise query_refused(
                    f"The $level option on navigation property '{known.name}' is not allowed, "
                    f"because the related entity type '{known.type_name}' could not be cast to "
                    f"source entity type '{self.type_name}'."
                )
            if system_name(name) == "expand":
                raise _no_property(value, known.type_name)
            if system_name(name) not in {"select", "top", "skip", "filter", "orderby", "count"}:
                raise not_emulated(f"The option {name} in $expand")
        nested = Options(query, self.model, known.type_name)
        language = Language(self.model, known.type_name)
        if nested.filter is not None:
            language.predicate(nested.filter, {})
        if nested.order is not None:
            language.order(nested.order, {})
        return Expansion(known.name, query)


def _no_property(name: str, type_name: str) -> GraphError:
    return query_refused(f"Could not find a property named '{name}' on type '{type_name}'.")


def _check_empty(system: Mapping[str, str]) -> None:
    for name, value in system.items():
        if name == "deltatoken":
            raise query_refused(
                "Query option 'DeltaToken' is not allowed. To allow it, set the "
                "'AllowedQueryOptions' property on EnableQueryAttribute or QueryValidationSettings."
            )
        if value.strip() or name in {"skiptoken", "format"}:
            continue
        if name in {"select", "expand"}:
            raise query_refused(
                "'select' and 'expand' cannot be empty or whitespace. Omit the parameter from the "
                "query if it is not used."
            )
        raise query_refused(f"The value for OData query '${name}' cannot be empty.")
    for name in _NOT_EMULATED:
        if name in system:
            raise not_emulated(f"${name}")


def _number(system: Mapping[str, str], name: str, largest: int) -> int | None:
    text = system.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.strip()) or int(text) < 0:
        raise query_refused(
            f"Invalid value '{text}' for ${name} query option found. The ${name} query option "
            "requires a non-negative integer value."
        )
    for limit in (_LARGEST_INT32, largest):
        if int(text) > limit:
            raise query_refused(
                f"The limit of '{limit}' for {name.capitalize()} query has been exceeded. The value"
                f" from the incoming request is '{text}'."
            )
    return int(text)


def _count(system: Mapping[str, str]) -> bool:
    text = system.get("count", "false")
    if text not in {"true", "false"}:
        raise query_refused(f"'{text}' is not a valid count option.")
    return text == "true"


def metadata_level(media_type: str) -> Metadata:
    """How much an answer says of itself, by ``Accept`` or ``$format``. What neither is known to
    name is minimal. Raise GraphError."""
    text = media_type.lower().replace(" ", "")
    if "odata.metadata=full" in text or "ieee754compatible=true" in text:
        raise not_emulated(f"The format {media_type}")
    return "none" if "odata.metadata=none" in text else "minimal"


def _check_characters(text: str) -> None:
    if text.strip().startswith("'"):
        raise query_refused("An identifier was expected at position 0.")
    for position, letter in enumerate(text.partition("(")[0]):
        if not _CHARACTERS.match(letter):
            raise query_refused(
                f"Syntax error: character '{letter}' is not valid at position {position} in "
                f"'{text}'."
            )


def _split(text: str, separator: str) -> list[str]:
    """Its places outside of parentheses and strings."""
    if not text:
        return []
    parts, depth, in_string = [""], 0, False
    for letter in text:
        in_string ^= letter == "'"
        if not in_string:
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if letter == separator and depth == 0:
                parts.append("")
                continue
        parts[-1] += letter
    if depth:
        raise query_refused(_UNBALANCED)
    return parts


def encoded(text: str) -> str:
    """As it is in an address that the service makes."""
    return quote(text, safe="-_.~")
