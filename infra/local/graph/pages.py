"""Lists and single things as Graph shows them: filtered, ordered, paged, in the shape asked for."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Any

from infra.local.graph.binding import Language, OrderKey, Scope, Value
from infra.local.graph.calls import Answer, Call
from infra.local.graph.config import Config
from infra.local.graph.errors import GraphError, not_emulated
from infra.local.graph.grammar import query_refused
from infra.local.graph.model import DATE_TIME, MODELS, STRING
from infra.local.graph.query import Options, encoded, metadata_level, system_name
from infra.local.graph.values import ordinal

_TOKEN_PART = re.compile(r"(\w+)-('(?:[^']|'')*'|null|[^,']*)(,|$)")
# In front of the token of a page that is to come after an empty one.
_PASSED = "~"

type Entity = Mapping[str, Any]
type Sponsors = Callable[[Mapping[str, Any], str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Collection:
    """``context`` is that of its list. ``entities`` come in the order of their ids if
    ``is_ordered``; otherwise they are put in that order where it decides what is shown. The
    properties in ``hidden`` are not shown."""

    type_name: str
    context: str
    entities: Sequence[Entity]
    sponsors: Sponsors
    is_ordered: bool = True
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """A collection as a query shows it."""

    call: Call
    config: Config
    collection: Collection
    options: Options

    @cached_property
    def _language(self) -> Language:
        ignores_case = self.config.filters == "ignore_case"
        return Language(self.options.model, self.collection.type_name, ignores_case)

    def page(self) -> Answer:
        """Raise GraphError."""
        options = self.options
        token = options.token
        keys = self._keys()
        matching = self._matching()
        count = None
        if options.with_count:
            matching = list(matching)
            count = len(matching)
        if self.config.empty_pages and not (token or "").startswith(_PASSED):
            passed = encoded(_PASSED + (token or ""))
            return self._answer([], count, self._link(passed, options.top, options.skip))
        found = self._ordered(matching, keys)
        if token is not None and token != _PASSED:
            position = _read_token(token.removeprefix(_PASSED), options, keys)
            found = (item for item in found if self._is_after(item, keys, position))
        size, is_limited = self._size()
        shown = list(islice(found, options.skip, options.skip + size + 1))
        more = len(shown) > size > 0
        del shown[size:]
        left = None if options.top is None else options.top
        if left is not None and self.config.top == "limit":
            left -= size
            more = more and not is_limited
        following = self._link(self._token(shown[-1], keys), left) if more else None
        return self._answer(shown, count, following)

    def count(self) -> Answer:
        """How many there are: the answer to ``/$count``."""
        return Answer(200, str(len(list(self._matching()))), content_type="text/plain")

    def shown(self) -> list[dict[str, Any]]:
        """Within another entity: all on one page, and always in order."""
        found = self._ordered(self._matching(), self._keys(), always=True)
        skip, top = self.options.skip, self.options.top
        end = None if top is None else skip + top
        return [shape(item, self) for item in islice(found, skip, end)]

    def matched(self) -> int:
        return len(list(self._matching()))

    def _answer(self, shown: Iterable[Entity], count: int | None, link: str | None) -> Answer:
        body: dict[str, Any] = {}
        level = self.level
        if level == "minimal":
            body["@odata.context"] = self.call.context(
                self.collection.context + self.options.columns
            )
        if count is not None:
            body["@odata.count"] = count
        if link is not None:
            body["@odata.nextLink"] = link
        body["value"] = [shape(item, self) for item in shown]
        return Answer(200, body)

    @property
    def level(self) -> str:
        return (
            "none"
            if self.options.metadata == "none"
            else metadata_level(self.call.headers.get("Accept", ""))
        )

    def _matching(self) -> Iterable[Entity]:
        entities, text = self.collection.entities, self.options.filter
        if text is None or self.config.filters == "ignored":
            return entities
        if self.config.filters == "refused":
            raise GraphError(
                400, "InvalidFilter", f"OData query is invalid: Filter '{text}' is not supported."
            )
        try:
            holds = self._language.predicate(text, self.options.query.aliases)
        except GraphError as error:
            error.situation = "unknownFilter"
            raise
        if self.config.filters == "empty":
            return []
        scope = Scope({}, self.collection.sponsors)

        def matches(entity: Entity) -> bool:
            scope.variables["$it"] = entity
            return holds(scope)

        return (entity for entity in entities if matches(entity))

    # Order

    def _keys(self) -> list[OrderKey]:
        """What the list is ordered by: at last by the id, so that no two are equal."""
        keys = []
        if self.options.order is not None:
            keys = self._language.order(self.options.order, self.options.query.aliases)
        by_id = OrderKey(
            "id", lambda scope: ordinal(scope.variables["$it"]["id"]), descending=False
        )
        return keys if any(key.name == "id" for key in keys) else [*keys, by_id]

    def _ordered(
        self, entities: Iterable[Entity], keys: Sequence[OrderKey], *, always: bool = False
    ) -> Iterable[Entity]:
        if not always and len(keys) == 1 and keys[0].name == "id" and not keys[0].descending:
            if self.collection.is_ordered:
                return entities
            options = self.options
            entities = list(entities)
            is_cut = options.top is not None or options.skip or options.token is not None
            if options.order is None and not is_cut and len(entities) <= self._size()[0]:
                return entities
        found = list(entities)
        for key in reversed(keys):
            found.sort(key=partial(self._valued, key.value), reverse=key.descending)
        return found

    def _valued(self, value: Value, entity: Entity) -> Any:
        found = value(Scope({"$it": entity}, self.collection.sponsors))
        return (found is not None, found)

    # Pages

    def _size(self) -> tuple[int, bool]:
        """Of this page, and whether it is all that was asked for."""
        top = self.options.top
        size = min(self.config.page_size, self.options.preferred_size or self.config.page_size)
        if self.config.top == "page":
            return (size if top is None else top), False
        return (size, False) if top is None or top > size else (top, True)

    def _token(self, last: Entity, keys: Sequence[OrderKey]) -> str:
        return ",".join(
            f"{key.name}-{encoded(_literal(last, key, self.options)).replace('%20', '+')}"
            for key in keys
        )

    def _is_after(self, entity: Entity, keys: Sequence[OrderKey], position: Sequence[Any]) -> bool:
        for key, passed in zip(keys, position, strict=True):
            value = self._valued(key.value, entity)
            if value != passed:
                return bool((value < passed) if key.descending else (value > passed))
        return False

    def _link(self, token: str, top: int | None, skip: int = 0) -> str:
        parts = [f"$skip={skip}"] if skip else []
        for name, value in self.options.query.pairs:
            known = system_name(name)
            if known not in {"skip", "skiptoken"}:
                parts.append(f"{name}={encoded(str(top) if known == 'top' else value)}")
        address = f"{self.call.base}/{self.collection.context}"
        return f"{address}?{'&'.join([*parts, f'$skiptoken={token}'])}"


def _literal(entity: Entity, key: OrderKey, options: Options) -> str:
    if key.name is None:
        raise not_emulated("A second page in the order of what is no property")
    value = entity[key.name]
    if value is None:
        return "null"
    known = options.model.property(options.type_name, key.name)
    is_date = known is not None and known.type_name == DATE_TIME
    return str(value) if is_date else "'" + str(value).replace("'", "''") + "'"


def _read_token(token: str, options: Options, keys: Sequence[OrderKey]) -> list[Any]:
    """The values behind which a page begins. Raise GraphError."""
    if not token:
        # The library does not catch what its own reader of tokens raises.
        raise GraphError(
            500,
            "InternalServerError",
            "The argument 'rawValue' is null or empty. (Parameter 'rawValue')",
        )
    named = _token_parts(token, options)
    names = [name for name, _ in named]
    if names != [key.name for key in keys]:
        raise query_refused(
            "Unable to get property values from the skiptoken value, or the token value can not "
            "match the orderby clause."
        )
    entity = dict(named)
    scope = Scope({"$it": entity}, lambda _, __: [])
    return [(value is not None, value) for value in (key.value(scope) for key in keys)]


def _token_parts(token: str, options: Options) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    at = 0
    text = token.strip(" ")
    while at < len(text):
        part = _TOKEN_PART.match(text, at)
        known = part and options.model.property(options.type_name, part[1])
        if not part or not known or not _is_literal_of(known.type_name, part[2]):
            raise query_refused(
                f"Unable to parse the skiptoken value '{token}'. Skiptoken value should always be "
                "server generated."
            )
        value = part[2]
        is_text = value.startswith("'")
        plain = value[1:-1].replace("''", "'") if is_text else value
        found.append((known.name, None if value == "null" else plain))
        at = part.end()
    return found


def _is_literal_of(type_name: str, text: str) -> bool:
    if text == "null":
        return True
    return text.startswith("'") is (type_name != DATE_TIME) or type_name not in {STRING, DATE_TIME}


def check_token(options: Options) -> None:
    """Where there are no pages. Raise GraphError."""
    if options.token is not None:
        _token_parts(options.token, options)
        raise not_emulated("$skiptoken for a single entity")


def entity_answer(view: View, entity: Entity, context: str, status: int = 200) -> Answer:
    """One thing, with its context. Raise GraphError."""
    view.options.refuse_collections_options()
    check_token(view.options)
    shown = shape(entity, view)
    if view.level == "none":
        return Answer(status, shown)
    address = view.call.context(context + view.options.columns) + "/$entity"
    return Answer(status, {"@odata.context": address, **shown})


def shape(entity: Entity, view: View) -> dict[str, Any]:
    """What is shown of it: what ``$select`` names, and what ``$expand`` adds."""
    options = view.options
    shown = _selected(entity, options, view.collection.hidden)
    for expansion in options.expand:
        nested = Options(expansion.query, options.model, _expanded_type(options, expansion.name))
        sponsors = view.collection.sponsors(entity, expansion.name)
        inner = Collection(
            nested.type_name, "", sponsors, view.collection.sponsors, is_ordered=False
        )
        part = View(view.call, view.config, inner, nested)
        if nested.with_count:
            shown[f"{expansion.name}@odata.count"] = part.matched()
        shown[expansion.name] = part.shown()
    return without_metadata(shown) if view.level == "none" else shown


def _expanded_type(options: Options, name: str) -> str:
    known = options.model.property(options.type_name, name)
    return known.type_name if known else options.type_name


def _selected(entity: Entity, options: Options, hidden: frozenset[str]) -> dict[str, Any]:
    if options.select is None or "*" in options.select:
        return {name: value for name, value in entity.items() if name not in hidden}
    names = {name.rpartition("/")[2] for name in options.select} | {"@odata.type"}
    return {name: value for name, value in entity.items() if name in names}


def without_metadata(value: Any) -> Any:
    """Without annotations but for counts."""
    if isinstance(value, list):
        return [without_metadata(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_metadata(item)
        for name, item in value.items()
        if "@odata." not in name or name.endswith("@odata.count")
    }


def options_of(call: Call, type_name: str) -> Options:
    return Options(call.query, MODELS[call.version], type_name, call.headers.get("Prefer", ""))
