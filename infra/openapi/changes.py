"""What a change of the description means to callers: does it break them, or only add something?

Callers must be able to send what they sent, and to understand what they get. So a value that is
no longer taken breaks them, and so does one that they get and do not know. Texts, titles and
examples change nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Json = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    text: str
    breaks: bool


# With the direction in which less may be sent.
_LIMITS = {
    "maxLength": -1,
    "maxItems": -1,
    "maximum": -1,
    "minLength": 1,
    "minItems": 1,
    "minimum": 1,
}
_LEAST = dict.fromkeys(("minLength", "minItems"), 0)
_NARROWS = ("pattern", "format")


def changes(old: Json, new: Json) -> list[Change]:
    """Return what is different in `new` for callers that know `old`."""
    return [*_Comparison(old, new).of_operations()]


@dataclass(frozen=True)
class _Comparison:
    old: Json
    new: Json

    def of_operations(self) -> Iterator[Change]:
        had, has = _operations(self.old), _operations(self.new)
        yield from _named("operation", had, has, come_breaks=False)
        for place in had.keys() & has.keys():
            yield from self._operation(place, had[place], has[place])

    def _operation(self, place: str, had: Json, has: Json) -> Iterator[Change]:
        yield from self._parameters(place, _parameters(had), _parameters(has))
        yield from self._body(f"{place} body", had.get("requestBody"), has.get("requestBody"))
        yield from self._answers(place, had["responses"], has["responses"])
        yield from _named(f"{place}:", _proofs(had), _proofs(has), come_breaks=True)

    def _parameters(self, place: str, had: Json, has: Json) -> Iterator[Change]:
        yield from _named(f"{place} parameter", had, _optional(has, had), come_breaks=False)
        for name in has:
            needed = has[name].get("required", False)
            if needed and not had.get(name, {}).get("required", False):
                yield Change(f"{place} parameter {name} is needed", breaks=True)
            if name in had:
                schemas = had[name]["schema"], has[name]["schema"]
                yield from self._schema(f"{place} parameter {name}", *schemas, is_sent=True)

    def _body(self, place: str, had: Json | None, has: Json | None) -> Iterator[Change]:
        if had is None or has is None:
            if had is not has:
                word = "gone" if has is None else "new"
                yield Change(f"{place} is {word}", had is not None or bool((has or {})["required"]))
            return
        if has.get("required", False) and not had.get("required", False):
            yield Change(f"{place} is needed", breaks=True)
        yield from self._content(place, had["content"], has["content"], is_sent=True)

    def _answers(self, place: str, had: Json, has: Json) -> Iterator[Change]:
        for status in {*had} ^ {*has}:
            # Callers know each success by its status, and a problem by its shape.
            breaks = status in had or status.startswith("2")
            word = "gone" if status in had else "new"
            yield Change(f"{place} answer {status} is {word}", breaks)
        for status in {*had} & {*has}:
            where = f"{place} answer {status}"
            mine, theirs = had[status], has[status]
            yield from _named(f"{where} header", _always(mine), _always(theirs), come_breaks=False)
            yield from _named(
                f"{where} code", _codes(mine), _codes(theirs), come_breaks=False, gone_breaks=False
            )
            content = mine.get("content", {}), theirs.get("content", {})
            yield from self._content(where, *content, is_sent=False)

    def _content(self, place: str, had: Json, has: Json, *, is_sent: bool) -> Iterator[Change]:
        yield from _named(f"{place} as", had, has, come_breaks=False)
        for kind in had.keys() & has.keys():
            yield from self._schema(
                place, had[kind].get("schema", {}), has[kind].get("schema", {}), is_sent=is_sent
            )

    def _schema(self, place: str, had: Json, has: Json, *, is_sent: bool) -> Iterator[Change]:
        ours, theirs = _alternatives(had, self.old), _alternatives(has, self.new)
        yield from _values(f"{place} of type", ours, theirs, is_sent=is_sent)
        for name in ours.keys() & theirs.keys():
            yield from self._plain(place, ours[name], theirs[name], is_sent=is_sent)

    def _plain(self, place: str, had: Json, has: Json, *, is_sent: bool) -> Iterator[Change]:
        if _enumerated(had) or _enumerated(has):
            values = _enumerated(had), _enumerated(has)
            yield from _values(f"{place} value", *values, is_sent=is_sent)
        if is_sent:
            yield from _limits(place, had, has)
        yield from self._properties(place, had, has, is_sent=is_sent)
        for inner, step in (("items", "[]"), ("additionalProperties", "/*")):
            if isinstance(had.get(inner), dict) and isinstance(has.get(inner), dict):
                yield from self._schema(f"{place}{step}", had[inner], has[inner], is_sent=is_sent)

    def _properties(self, place: str, had: Json, has: Json, *, is_sent: bool) -> Iterator[Change]:
        mine, theirs = had.get("properties", {}), has.get("properties", {})
        was, needed = {*had.get("required", ())}, {*has.get("required", ())}
        for name in mine.keys() - theirs.keys():
            yield Change(f"{place}/{name} is gone", breaks=True)
        for name in theirs.keys() - mine.keys():
            yield Change(f"{place}/{name} is new", breaks=is_sent and name in needed)
        for name in mine.keys() & theirs.keys():
            if (name in was) is not (name in needed):
                word = "always there" if name in needed else "optional"
                yield Change(f"{place}/{name} is {word}", breaks=is_sent is (name in needed))
            inner = mine[name], theirs[name]
            yield from self._schema(f"{place}/{name}", *inner, is_sent=is_sent)


def _named(
    what: str,
    had: Iterable[str],
    has: Iterable[str],
    *,
    come_breaks: bool,
    gone_breaks: bool = True,
) -> Iterator[Change]:
    mine, theirs = {*had}, {*has}
    yield from (Change(f"{what} {name} is gone", gone_breaks) for name in mine - theirs)
    yield from (Change(f"{what} {name} is new", come_breaks) for name in theirs - mine)


def _values(
    what: str, had: Iterable[str], has: Iterable[str], *, is_sent: bool
) -> Iterator[Change]:
    return _named(what, had, has, come_breaks=not is_sent, gone_breaks=is_sent)


def _limits(place: str, had: Json, has: Json) -> Iterator[Change]:
    for name, direction in _LIMITS.items():
        old, new = had.get(name, _LEAST.get(name)), has.get(name, _LEAST.get(name))
        if old != new:
            is_less = new is not None and (old is None or (new - old) * direction > 0)
            yield Change(f"{place} {name} is {new}", is_less)
    for name in _NARROWS:
        if had.get(name) != has.get(name):
            yield Change(f"{place} {name} is {has.get(name)}", name in has)


def _operations(described: Json) -> dict[str, Json]:
    """Return them by method and path: a client may be built on either."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def _parameters(operation: Json) -> dict[str, Json]:
    return {f"{one['name']} ({one['in']})": one for one in operation.get("parameters", ())}


def _optional(has: Json, had: Json) -> list[str]:
    """Return the parameters but for those that are new and needed."""
    return [name for name in has if name in had or not has[name].get("required", False)]


def _proofs(operation: Json) -> set[str]:
    return {
        f"proof {name} with {', '.join(roles) or 'no role'}"
        for way in operation.get("security", ())
        for name, roles in way.items()
    }


def _always(answer: Json) -> list[str]:
    return [name for name, told in answer.get("headers", {}).items() if told.get("required")]


def _codes(answer: Json) -> list[str]:
    return list(answer.get("x-codes", ()))


def _enumerated(schema: Json) -> list[str]:
    return [
        str(value) for value in schema.get("enum", [schema["const"]] if "const" in schema else ())
    ]


def _alternatives(schema: Json, described: Json) -> dict[str, Json]:
    """Return the schemas of which one holds, by their type and what distinguishes them."""
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            several: dict[str, Json] = {}
            for one in schema[word]:
                for kind, plain in _alternatives(one, described).items():
                    several[f"{kind} (another)" if kind in several else kind] = plain
            return several
    kind = str(schema.get("type", "any"))
    return {_told_apart(kind, schema): schema}


def _told_apart(kind: str, schema: Json) -> str:
    consts = [str(one["const"]) for one in schema.get("properties", {}).values() if "const" in one]
    return " ".join((kind, *consts))
